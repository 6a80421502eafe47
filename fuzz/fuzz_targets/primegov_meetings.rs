#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docket_fuzz::primegov_meetings(data));
