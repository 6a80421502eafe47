//! Who acts.

/// Name of the operator for events: `cli:<user>@<host>`.
pub(super) fn actor() -> String {
    let uid = nix::unistd::Uid::effective();
    let user = nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
    format!("cli:{user}@{}", host())
}

/// Name of this machine.
pub(super) fn host() -> String {
    nix::unistd::gethostname().ok().and_then(|h| h.into_string().ok()).unwrap_or_else(|| "unknown".to_owned())
}
