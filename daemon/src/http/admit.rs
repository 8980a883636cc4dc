//! Who sent a request, and whether it may: the section `access` of the file.

use std::{net::IpAddr, sync::Arc};

use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};
use pushprom_core::policy::Source;

use super::{
    Context,
    listener::Peer,
    reply::{self, Reply},
    route::Route,
};
use crate::{
    access::{Principal, Shown, Unknown},
    live::Settings,
    telemetry::Refused,
};

/// How to show who one is.
const CHALLENGES: [HeaderValue; 2] = [
    HeaderValue::from_static("Basic realm=\"pushprom\", charset=\"UTF-8\""),
    HeaderValue::from_static("Bearer"),
];

/// Who sent a request, and the settings that it is answered with, though others may come into force.
pub(super) struct Caller {
    pub(super) settings: Arc<Settings>,
    pub(super) principal: Arc<Principal>,
    address: Option<IpAddr>,
}

impl Caller {
    /// What its deltas are taken for.
    pub(super) fn source(&self) -> Source<'_> {
        self.principal.source(self.address)
    }
}

/// Lets a request in, or says what to answer instead.
pub(super) fn admit(
    route: &Route,
    headers: &HeaderMap,
    peer: Peer,
    settings: Arc<Settings>,
    context: &Context,
) -> Result<Caller, Reply> {
    let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let shown = Shown { authorization, certificate: &[] };
    let right = route.right();
    let principal = match settings.access.of_request(shown) {
        Ok(principal) => Arc::clone(principal),
        // What is open to everybody is open to who shows something wrong.
        Err(Unknown) if right.is_none() => Arc::clone(settings.access.anonymous()),
        Err(Unknown) => {
            context.telemetry.record_refused(Refused::Unauthorized);
            return Err(closing(route, unauthorized("these credentials are nobody's\n")));
        }
    };
    if let Some(right) = right
        && let Err(forbidden) = principal.may(right)
    {
        // Who has shown nothing may try with something.
        let (refused, reply) = if principal.name().is_none() {
            let text = format!("show who you are: {} takes a right\n", right.as_str());
            (Refused::Unauthorized, unauthorized(&text))
        } else {
            let text = format!("{forbidden}\n");
            (Refused::Forbidden, reply::text(StatusCode::FORBIDDEN, &text))
        };
        context.telemetry.record_refused(refused);
        return Err(closing(route, reply));
    }
    let address = match peer {
        Peer::Tcp(address) => Some(address.ip()),
        Peer::Unix => None,
    };
    Ok(Caller { settings, principal, address })
}

fn unauthorized(text: &str) -> Reply {
    let mut reply = reply::text(StatusCode::UNAUTHORIZED, text);
    for challenge in CHALLENGES {
        reply.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
    reply
}

/// The same answer; where a body may come that nobody will read, the last one.
fn closing(route: &Route, reply: Reply) -> Reply {
    if *route == Route::Push { reply::last(reply) } else { reply }
}
