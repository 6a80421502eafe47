#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::civicplus_agenda_center(data));
