//! People: they cancel, discard, requeue, undo, pause and resume, whatever goes on.

use crate::{
    handlers::KINDS,
    ledger::{Act, is_over},
    story::{STORM, Story},
};
use docket::fleet::job::{JobId, Status};
use rand::{Rng, rngs::StdRng};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Until the storm ends. Every third story has none.
pub(crate) async fn act(story: &Story, dice: &mut StdRng) {
    if dice.random_bool(0.33) {
        return;
    }
    let end = Instant::now() + STORM;
    while Instant::now() < end {
        sleep(Duration::from_millis(dice.random_range(500..6000))).await;
        let Some(act) = draw(story, dice) else { continue };
        // What the page showed may have changed when the button is pressed.
        sleep(Duration::from_millis([10, 500, 3000][dice.random_range(0..3)])).await;
        if story.world.is_ledger_away() {
            continue;
        }
        carry_out(story, &act);
        // No answer, so it is done once more.
        if dice.random_bool(0.1) {
            sleep(Duration::from_millis(300)).await;
            carry_out(story, &act);
        }
    }
}

/// One act, and its notification.
pub(crate) fn carry_out(story: &Story, act: &Act) {
    if let Some(news) = story.world.ledger(|s| s.act(act)) {
        // Nobody may be listening: the heartbeat and the poll are for that.
        let _ = story.wake.send(news);
    }
}

fn draw(story: &Story, dice: &mut StdRng) -> Option<Act> {
    let kind = KINDS[dice.random_range(0..KINDS.len())];
    let act = dice.random_range(0..12);
    let among = |dice: &mut StdRng, wanted: &dyn Fn(Status, bool) -> bool| {
        let ids: Vec<JobId> = story.world.ledger(|s| {
            let fits = s.jobs.values().filter(|job| wanted(job.status, job.requeued.is_some()));
            fits.map(|job| job.id).collect()
        });
        (!ids.is_empty()).then(|| ids[dice.random_range(0..ids.len())])
    };
    let is_over = |status, _| is_over(status);
    match act {
        0..3 => among(dice, &is_over).map(Act::Requeue),
        3 => among(dice, &|_, is_requeued| is_requeued).map(Act::Undo),
        4 => among(dice, &is_over).map(Act::Discard),
        5 | 6 => among(dice, &|status, _| !status.is_terminal()).map(Act::Cancel),
        7 => Some(Act::PauseKind(kind)),
        8 | 9 => Some(Act::ResumeKind(kind)),
        10 => Some(Act::PauseLane),
        _ => Some(Act::ResumeLane),
    }
}
