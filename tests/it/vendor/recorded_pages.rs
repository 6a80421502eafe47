//! Recorded answers of all vendors, against what is known of them without our parsers.

use crate::fixtures::recordings;
use docket::civic::{
    model::{EvidenceSource, MeetingStatus, SourceMeetingId},
    vendor::{ParseError, ParseReport, parse_file},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

fn parse(root: &Path, vendor: &str, kind: &str, file: &str) -> Result<ParseReport, ParseError> {
    parse_file(vendor, kind, &std::fs::read(root.join(file)).unwrap(), None)
}

/// What a plain search found in a page: a lower bound of what is in it.
struct Oracle(BTreeMap<String, BTreeMap<String, usize>>);

impl Oracle {
    fn read(root: &Path) -> Self {
        let text = std::fs::read_to_string(root.join("html_oracle.tsv")).unwrap();
        let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let names = lines.next().unwrap();
        let row = |line: Vec<&str>| {
            let counts = names
                .iter()
                .zip(&line)
                .skip(1)
                .filter_map(|(name, count)| Some(((*name).to_owned(), count.parse().ok()?)));
            (line[0].to_owned(), counts.collect())
        };
        Self(lines.map(row).collect())
    }

    fn count(&self, file: &str, what: &str) -> usize {
        self.0[file][what]
    }
}

fn files(root: &Path, folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root.join(folder)];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder}");
    found
}

fn ids(report: &ParseReport) -> BTreeSet<&SourceMeetingId> {
    let ids: BTreeSet<_> = report.meetings.iter().map(|meeting| &meeting.vendor_id).collect();
    assert_eq!(ids.len(), report.meetings.len(), "each id once");
    ids
}

fn with(report: &ParseReport, status: MeetingStatus) -> usize {
    report.meetings.iter().filter(|meeting| meeting.status == status).count()
}

#[test]
fn granicus_pages_have_all_their_agendas_and_other_systems_none() {
    let Some(root) = recordings() else { return };
    let oracle = Oracle::read(&root);
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for file in files(&root, "granicus", ".html") {
        match parse(&root, "granicus", "archive", &file) {
            Ok(report) => {
                let agendas = report.meetings.iter().filter(|meeting| meeting.agenda_url.is_some()).count();
                assert!(agendas >= oracle.count(&file, "granicus_agendaviewer_ids"), "{file}: {agendas}");
                assert!(ids(&report).len() >= agendas, "{file}");
                let told = report
                    .meetings
                    .iter()
                    .all(|m| (m.status == MeetingStatus::Scheduled) == m.status_evidence.is_none());
                assert!(told, "{file}: a status has its evidence");
                read.push(file);
            }
            Err(ParseError::Schema(_)) => refused.push(file),
            Err(other) => panic!("{file}: {other}"),
        }
    }
    assert_eq!(read.len(), 5, "{read:?}");
    // Two are pages of IQM2 and one of a city's own system, whatever their folder says.
    assert_eq!(refused.len(), 3, "{refused:?}");
}

#[test]
fn upcoming_meetings_of_granicus_have_times_and_archived_ones_recordings() {
    let Some(root) = recordings() else { return };
    let report = parse(&root, "granicus", "archive", "granicus/burbank.html").unwrap();
    assert!(report.meetings.iter().all(|m| m.local_time.is_some() && m.status == MeetingStatus::Scheduled));
    let parks = report.meetings.iter().find(|m| m.vendor_id.as_str() == "event-7942").unwrap();
    assert_eq!(
        (parks.title.as_str(), parks.local_date.to_string()),
        ("Parks and Recreation Board", "2022-11-10".to_owned())
    );
    assert_eq!(parks.local_time.map(|time| time.to_string()).as_deref(), Some("18:00:00"));
    let url = "https://burbank.granicus.com/AgendaViewer.php?view_id=6&event_id=7942";
    assert_eq!(parks.agenda_url.as_ref().map(|url| url.as_str()), Some(url));

    let report = parse(&root, "granicus", "archive", "granicus/lapuente.html").unwrap();
    assert_eq!(with(&report, MeetingStatus::Cancelled), 42, "their titles say so, three with one l: cancelation");
    let held = report.meetings.iter().filter(|m| m.status == MeetingStatus::Held);
    assert!(held.clone().count() > 100);
    assert!(held.filter_map(|m| m.status_evidence.as_ref()).all(|e| e.source == EvidenceSource::Recording));
}

#[test]
fn civicplus_pages_have_all_their_agendas_and_minutes() {
    let Some(root) = recordings() else { return };
    let oracle = Oracle::read(&root);
    let mut read = 0;
    for file in files(&root, "civicplus", ".html") {
        let report = match parse(&root, "civicplus", "agenda-center", &file) {
            Ok(report) => report,
            // The body of a redirect to the city's own domain.
            Err(ParseError::Schema(_)) if file.contains("wi-columbus") => continue,
            Err(other) => panic!("{file}: {other}"),
        };
        read += 1;
        assert_eq!(ids(&report).len(), oracle.count(&file, "civicplus_agenda_files"), "{file}");
        let minutes =
            report.meetings.iter().flat_map(|m| &m.documents).filter(|d| d.href.contains("/Minutes/")).count();
        assert_eq!(minutes, oracle.count(&file, "civicplus_minutes_files"), "{file}");
        assert!(report.meetings.iter().all(|m| !m.title.is_empty()), "{file}");
    }
    assert!(read >= 25, "{read}");
}

#[test]
fn a_page_fetched_twice_has_one_hash() {
    let Some(root) = recordings() else { return };
    // What was asked for is the name without the hash of the bytes at its end.
    let mut twice: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files(&root, "civicplus", ".html") {
        let question = file.rsplit_once('_').unwrap().0.to_owned();
        twice.entry(question).or_default().push(file);
    }
    let mut compared = 0;
    for (question, files) in twice.into_iter().filter(|(_, files)| files.len() > 1) {
        let hashes: BTreeSet<_> =
            files.iter().map(|file| parse(&root, "civicplus", "agenda-center", file).unwrap().content_hash).collect();
        let bytes: BTreeSet<_> = files.iter().map(|file| std::fs::read(root.join(file)).unwrap()).collect();
        assert_eq!((hashes.len(), bytes.len()), (1, files.len()), "{question}");
        compared += 1;
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn calendars_of_legistar_have_all_their_rows() {
    let Some(root) = recordings() else { return };
    let oracle = Oracle::read(&root);
    for file in ["legistar/metro_events.html", "legistar/nyc_events.html"] {
        let report = parse(&root, "legistar", "calendar", file).unwrap();
        assert_eq!(ids(&report).len(), oracle.count(file, "legistar_grid_rows"), "{file}");
        let agendas = report.meetings.iter().filter(|meeting| meeting.agenda_url.is_some()).count();
        assert_eq!(agendas, oracle.count(file, "legistar_agenda_ids"), "{file}");
        assert!(report.meetings.iter().all(|m| m.location.is_some() && !m.body_name.is_empty()), "{file}");
    }
    let nyc = parse(&root, "legistar", "calendar", "legistar/nyc_events.html").unwrap();
    assert_eq!(with(&nyc, MeetingStatus::Postponed), 2, "where the time is, it says Deferred");
    let first = nyc.meetings.iter().find(|m| m.vendor_id.as_str() == "insite-670695").unwrap();
    assert_eq!(
        (first.local_date.to_string(), first.local_time.map(|t| t.to_string())),
        ("2019-01-31".to_owned(), Some("12:00:00".to_owned()))
    );
    assert_eq!(first.aliases, [SourceMeetingId("guid-3943fd0a-37dd-4c1c-918b-c68552f9f329".to_owned())]);
}

#[test]
fn three_meetings_of_primegov_are_cancelled_and_only_words_say_so() {
    let Some(root) = recordings() else { return };
    let report = parse(&root, "primegov", "meetings", "primegov/longmont_upcoming_meetings.json").unwrap();
    assert_eq!((report.meetings.len(), with(&report, MeetingStatus::Cancelled)), (7, 3));
    let housing = report.meetings.iter().find(|m| m.vendor_id.as_str() == "3727").unwrap();
    let names: Vec<_> = housing.documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["Agenda", "Packet", "HTML Agenda", "HTML Packet"]);
    assert_eq!(housing.documents[0].href, "/Public/CompiledDocument?meetingTemplateId=16898&compileOutputType=1");
}

#[test]
fn an_event_of_civicclerk_is_local_and_its_files_have_addresses() {
    let Some(root) = recordings() else { return };
    let report = parse(&root, "civicclerk", "events", "civicclerk/portagemi_event_2163.json").unwrap();
    let [meeting] = &report.meetings[..] else { panic!("{report:?}") };
    assert_eq!(
        (meeting.local_date.to_string(), meeting.local_time.map(|t| t.to_string())),
        ("2026-06-08".to_owned(), Some("19:00:00".to_owned()))
    );
    assert_eq!(meeting.aliases, [SourceMeetingId("agenda-1814".to_owned())]);
    let url = "https://portagemi.api.civicclerk.com/v1/Meetings/GetMeetingFileStream(fileId=7124,plainText=false)";
    assert_eq!(meeting.agenda_url.as_ref().map(|url| url.as_str()), Some(url));
    assert_eq!(meeting.documents.len(), 2);
}

#[test]
fn no_recording_is_read_by_another_vendors_parser_as_an_empty_list() {
    let Some(root) = recordings() else { return };
    let kinds = [
        ("granicus", "archive"),
        ("civicplus", "agenda-center"),
        ("legistar", "calendar"),
        ("legistar", "events"),
        ("primegov", "meetings"),
        ("civicclerk", "events"),
    ];
    for (own, file) in [
        ("granicus", "granicus/lomita.html"),
        ("civicplus", "civicplus/wa-bremerton.civicplus.com/get__AgendaCenter_891413b4.html"),
        ("legistar", "legistar/nyc_events.html"),
        ("primegov", "primegov/longmont_upcoming_meetings.json"),
        ("civicclerk", "civicclerk/portagemi_event_2163.json"),
    ] {
        for (vendor, kind) in kinds.iter().filter(|(vendor, _)| *vendor != own) {
            let report = parse(&root, vendor, kind, file);
            assert!(report.is_err(), "{file} as {vendor} {kind}: {report:?}");
        }
    }
}
