//! The rules, without a socket.

use super::*;
use hyper::header::{HOST, HeaderValue};

const TOKEN: &str = "0123456789abcdef";

fn access(addr: &str, token: Option<&str>, metrics_open: bool) -> Result<Access, ServeError> {
    let addr = addr.parse().expect("an address");
    Access::of(&HttpSettings { addr, token: token.map(Into::into), metrics_open, ..HttpSettings::default() })
}

fn headers(authorization: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost:80"));
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
    }
    headers
}

fn allowed(access: &Access, path: &str, authorization: Option<&str>) -> bool {
    access.check(&Method::GET, path, &headers(authorization)).is_ok()
}

#[test]
fn the_matrix() {
    let good = format!("Bearer {TOKEN}");
    for (metrics_open, path, without, with) in [
        (false, "/livez", true, true),
        (false, "/readyz", true, true),
        (false, "/metrics", false, true),
        (true, "/metrics", true, true),
        (true, "/api/jobs", false, true),
        (false, "/nowhere", false, true),
    ] {
        let access = access("0.0.0.0:80", Some(TOKEN), metrics_open).expect("guarded");
        assert_eq!(allowed(&access, path, None), without, "{path}");
        assert_eq!(allowed(&access, path, Some(&good)), with, "{path}");
    }
}

#[test]
fn a_wrong_token_is_none() {
    let access = access("127.0.0.1:80", Some(TOKEN), false).expect("guarded");
    let longer = format!("Bearer {TOKEN}0");
    for value in ["", "Bearer", "Bearer ", "Basic 0123456789abcdef", "Bearer 0123456789abcdeF", &longer, TOKEN] {
        assert!(!allowed(&access, "/api/jobs", Some(value)), "{value:?}");
    }
    assert!(allowed(&access, "/api/jobs", Some(&format!("bearer  {TOKEN}"))));
}

#[test]
fn only_loopback_needs_no_token() {
    for addr in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(access(addr, None, false).is_ok(), "{addr}");
    }
    for addr in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
        assert!(matches!(access(addr, None, true), Err(ServeError::Unguarded(_))), "{addr}");
    }
    assert!(matches!(access("127.0.0.1:80", Some("short"), false), Err(ServeError::WeakToken)));
}

#[test]
fn each_token_has_its_role_wherever_it_stands() {
    let made = Role::ALL.map(|role| Token::generate(role.as_str(), role).expect("a name"));
    let tokens: Vec<Token> = made.iter().map(|(_, token)| token.clone()).collect();
    let addr = "0.0.0.0:80".parse().expect("an address");
    let access =
        Access::of(&HttpSettings { addr, tokens: tokens.clone(), ..HttpSettings::default() }).expect("guarded");
    for (secret, token) in &made {
        let headers = headers(Some(&format!("Bearer {}", secret.expose_secret())));
        let caller = access.check(&Method::GET, "/api/jobs", &headers).expect("may read").expect("has a name");
        assert_eq!(caller.actor(), format!("api:{}", token.name()));
        let writes = access.check(&Method::POST, "/api/jobs", &headers).is_ok();
        assert_eq!(writes, token.role() >= Role::Operator, "{}", token.name());
    }
    let twice = [tokens.clone(), tokens].concat();
    let refused = Access::of(&HttpSettings { addr, tokens: twice, ..HttpSettings::default() });
    assert!(matches!(refused, Err(ServeError::TokenTwice(name)) if name == "viewer"));
}
