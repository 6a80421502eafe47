//! This machine.

use super::super::{
    check::Check,
    facts::{Address, Machine, Role, Settings},
    finding::Finding,
};
use crate::civic::document::OcrState;

/// Connections of the endpoint, to the database and to the broker, logs, and the program itself.
const FILES: u64 = 400;
/// Connections to sites, pipes to programs and files of one job.
const FILES_PER_SLOT: u64 = 12;
const MIB: u64 = 1 << 20;
/// A document of 50 MiB, for each of many slots.
const ROOM: u64 = 1024 * MIB;
/// Not one of them.
const NO_ROOM: u64 = 64 * MIB;

pub(super) fn judge(machine: &Machine, settings: &Settings, roles: &[Role]) -> Vec<Finding> {
    let works = roles.contains(&Role::Worker);
    let mut findings = vec![
        address(&machine.address),
        if works { poppler(machine) } else { Finding::ok(Check::Poppler, "only workers read documents") },
        ocr(machine),
        files(machine, if works { settings.slots } else { 0 }),
        time_zones(machine),
    ];
    findings.extend(room(machine));
    findings
}

fn address(address: &Address) -> Finding {
    let check = Check::Address;
    match address {
        Address::Any => Finding::ok(check, "any free port"),
        Address::Free(addr) => Finding::ok(check, format!("{addr} is free")),
        Address::Docket(addr) => Finding::note(
            check,
            format!("a process of Docket answers at {addr}"),
            "give a second one another DOCKET_HTTP",
        ),
        Address::Taken(addr, why) => Finding::fault(
            check,
            format!("{addr} can't be listened on: {why}"),
            "end what listens there (ss -ltnp shows it), or set DOCKET_HTTP or --http to another address",
        ),
        Address::Unknown => Finding::unknown(check, "DOCKET_HTTP can't be used"),
    }
}

fn poppler(machine: &Machine) -> Finding {
    match &machine.poppler {
        Ok(poppler) if poppler.has_tables => Finding::ok(Check::Poppler, poppler.version.clone()),
        Ok(poppler) => Finding::warning(
            Check::Poppler,
            format!("{}, without poppler-data", poppler.version),
            "install the package poppler-data: documents with Asian fonts can't be read without",
        ),
        Err(why) => {
            let fix = "install the packages poppler-utils and poppler-data, and check PATH";
            Finding::fault(Check::Poppler, why.clone(), fix)
        }
    }
}

fn ocr(machine: &Machine) -> Finding {
    let check = Check::Ocr;
    match &machine.ocr {
        None => Finding::ok(check, "images of pages are not read (civic.ocr)"),
        Some(OcrState::Usable(version)) => Finding::ok(check, version.clone()),
        Some(OcrState::NoLanguage(language)) => Finding::warning(
            check,
            format!("images of pages are to be read, and tesseract has no language {language}"),
            format!(
                "install the package tesseract-ocr-{language}, or correct DOCKET_OCR_LANGUAGE: nothing is read until then"
            ),
        ),
        Some(OcrState::Missing) => Finding::warning(
            check,
            "images of pages are to be read, and tesseract is missing",
            "install the package tesseract-ocr and check PATH, or set DOCKET_OCR=off: scans have no text until then",
        ),
    }
}

fn files(machine: &Machine, slots: u32) -> Finding {
    let check = Check::FileLimit;
    let need = FILES + FILES_PER_SLOT * u64::from(slots);
    match &machine.files {
        Ok(limit) if *limit >= need => Finding::ok(check, format!("{limit} may be open, {need} may be needed")),
        Ok(limit) => Finding::fault(
            check,
            format!("{limit} may be open, {need} may be needed with {slots} slots"),
            "raise it (ulimit -n, LimitNOFILE= of systemd), or lower DOCKET_SLOTS",
        ),
        Err(why) => Finding::unknown(check, why),
    }
}

fn time_zones(machine: &Machine) -> Finding {
    match &machine.time_zones {
        Ok(()) => Finding::ok(Check::TimeZones, "the database of time zones is there"),
        Err(why) => Finding::fault(Check::TimeZones, why.clone(), "install the package tzdata"),
    }
}

fn room(machine: &Machine) -> Vec<Finding> {
    let check = Check::DiskSpace;
    let fix = "make room, or set TMPDIR to another disk";
    let judge = |(folder, free): &(std::path::PathBuf, Result<u64, String>)| {
        let folder = folder.display();
        match free {
            Ok(bytes) if *bytes < NO_ROOM => {
                Finding::fault(check, format!("{} MiB are free in {folder}", bytes / MIB), fix)
            }
            Ok(bytes) if *bytes < ROOM => {
                Finding::warning(check, format!("{} MiB are free in {folder}", bytes / MIB), fix)
            }
            Ok(bytes) => Finding::ok(check, format!("{} MiB are free in {folder}", bytes / MIB)),
            Err(why) => Finding::unknown(check, &format!("{folder}: {why}")),
        }
    };
    machine.room.iter().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::cli::doctor::{facts::Poppler, finding::Level};

    fn find(change: impl FnOnce(&mut Machine), check: Check, roles: &[Role]) -> Finding {
        let mut machine = healthy::machine();
        change(&mut machine);
        judge(&machine, &healthy::settings(), roles).into_iter().find(|f| f.check == check).expect("looked at")
    }

    #[test]
    fn an_address_is_free_or_dockets_or_a_fault() {
        let addr = "127.0.0.1:9000".parse().expect("an address");
        for (address, level) in [
            (Address::Any, Level::Ok),
            (Address::Free(addr), Level::Ok),
            (Address::Docket(addr), Level::Note),
            (Address::Taken(addr, "in use".to_owned()), Level::Fault),
            (Address::Unknown, Level::Warning),
        ] {
            let finding = find(|machine| machine.address = address.clone(), Check::Address, &Role::ALL);
            assert_eq!(finding.level, level, "{address:?}");
        }
    }

    #[test]
    fn only_workers_need_poppler() {
        let missing = |machine: &mut Machine| machine.poppler = Err("pdfinfo is missing".to_owned());
        assert_eq!(find(missing, Check::Poppler, &[Role::Worker]).level, Level::Fault);
        assert_eq!(find(missing, Check::Poppler, &[Role::Scheduler, Role::Server]).level, Level::Ok);
        let plain = |machine: &mut Machine| {
            machine.poppler = Ok(Poppler { version: "poppler-22/1".to_owned(), has_tables: false });
        };
        assert_eq!(find(plain, Check::Poppler, &[Role::Worker]).level, Level::Warning);
    }

    #[test]
    fn images_are_read_where_that_is_asked_for() {
        for (state, level) in [
            (None, Level::Ok),
            (Some(OcrState::Usable("tesseract-5".to_owned())), Level::Ok),
            (Some(OcrState::NoLanguage("spa".to_owned())), Level::Warning),
            (Some(OcrState::Missing), Level::Warning),
        ] {
            assert_eq!(find(|machine| machine.ocr = state.clone(), Check::Ocr, &Role::ALL).level, level, "{state:?}");
        }
    }

    #[test]
    fn files_are_counted_by_slots() {
        let few = |machine: &mut Machine| machine.files = Ok(FILES + 1);
        assert_eq!(find(few, Check::FileLimit, &[Role::Worker]).level, Level::Fault);
        assert_eq!(find(few, Check::FileLimit, &[Role::Server]).level, Level::Ok);
    }

    #[test]
    fn room_runs_out_in_two_steps() {
        for (bytes, level) in [(0, Level::Fault), (NO_ROOM, Level::Warning), (ROOM, Level::Ok), (u64::MAX, Level::Ok)] {
            let change = |machine: &mut Machine| machine.room = vec![("/tmp".into(), Ok(bytes))];
            assert_eq!(find(change, Check::DiskSpace, &Role::ALL).level, level, "{bytes}");
        }
    }

    #[test]
    fn cities_need_time_zones() {
        let missing = |machine: &mut Machine| machine.time_zones = Err("not found".to_owned());
        assert_eq!(find(missing, Check::TimeZones, &Role::ALL).level, Level::Fault);
    }
}
