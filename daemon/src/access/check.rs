//! What the configuration says of access, held against what it cannot know by itself: the users of
//! `-web.config.file`, and where we listen.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    config::{Config, Mark, Origins},
    web::{FileError, Web},
};

/// Why access cannot be granted as the configuration says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A principal could never show who it is.
    #[error("{mark} of principal {principal:?} in -config.file {problem}")]
    Unknowable {
        /// What it is known by.
        mark: String,
        /// Its name.
        principal: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// Pages of any origin may push, but users are asked for.
    #[error(
        "-web.cors.origins=* is for open access alone, and -web.config.file has users: list the origins"
    )]
    Origins,
    /// What it is held against is of no use itself.
    #[error("-web.config.file is invalid, so that access cannot be checked against it: {0}")]
    Web(#[from] Arc<FileError>),
}

/// Looks for principals who could never show who they are, and for pages that may do too much.
pub fn check(config: &Config, web: Option<&Web>) -> Result<(), CheckError> {
    let web = web.map(Web::settings).transpose()?;
    if config.origins == Origins::Any && web.as_ref().is_some_and(|web| !web.users.is_empty()) {
        return Err(CheckError::Origins);
    }
    for named in config.access.iter().flat_map(|access| &access.named) {
        for mark in &named.marks {
            let problem = match (mark, &web) {
                (Mark::WebUser(_), None) => {
                    "has no password_hash, and there is no -web.config.file"
                }
                (Mark::WebUser(name), Some(web)) if !web.users.has(name) => {
                    "has no password_hash, and is none of -web.config.file"
                }
                (Mark::User { .. } | Mark::Token(_), Some(web)) if !web.users.is_empty() => {
                    "would be no use: -web.config.file has users, and takes nothing but theirs"
                }
                (Mark::Certificate(_), None) => {
                    "would be no use: there is no -web.config.file to ask clients for certificates"
                }
                (Mark::Certificate(_), Some(web)) if !web.verifies_clients() => {
                    "would be no use: -web.config.file verifies no certificates of clients; set \
                     client_auth_type to VerifyClientCertIfGiven or RequireAndVerifyClientCert"
                }
                (
                    Mark::WebUser(_)
                    | Mark::User { .. }
                    | Mark::Token(_)
                    | Mark::Certificate(_)
                    | Mark::Network(_)
                    | Mark::Unix,
                    _,
                ) => continue,
            };
            let (mark, principal) = (mark.to_string(), named.name.clone());
            return Err(CheckError::Unknowable { mark, principal, problem });
        }
    }
    Ok(())
}

/// Whether anybody who reaches us from elsewhere may do everything, where we listen at these addresses.
pub fn is_open_to_others(
    config: &Config,
    web: Option<&Web>,
    http: &[SocketAddr],
    udp: &[SocketAddr],
) -> bool {
    let is_far = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
    let is_guarded = web.is_some_and(Web::is_guarded);
    config.access.is_none() && (!is_guarded && http.iter().any(is_far) || udp.iter().any(is_far))
}
