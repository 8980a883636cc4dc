//! What is where: paths, methods, parameters.

use hyper::Method;

use crate::config::{AdminApi, Right};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Endpoint {
    /// What this build is.
    BuildInfo,
    /// Each flag and its value.
    Flags,
    /// The configuration file.
    Config,
    /// Since when this runs, where, and how much it holds.
    RuntimeInfo,
    /// This interface in `OpenAPI`.
    OpenApi,
    /// Families.
    Families,
    /// Series and their values.
    Series,
    /// The largest families.
    TopFamilies,
    /// The label names with the most values.
    TopLabels,
    /// What has been refused of late.
    Rejections,
    /// To delete series.
    Delete,
    /// To delete all series.
    Wipe,
}

/// Where each is.
const PATHS: &[(&str, Endpoint)] = &[
    ("/api/v1/status/buildinfo", Endpoint::BuildInfo),
    ("/api/v1/status/flags", Endpoint::Flags),
    ("/api/v1/status/config", Endpoint::Config),
    ("/api/v1/status/runtimeinfo", Endpoint::RuntimeInfo),
    ("/api/v1/openapi.yaml", Endpoint::OpenApi),
    ("/api/v1/families", Endpoint::Families),
    ("/api/v1/series", Endpoint::Series),
    ("/api/v1/top/families", Endpoint::TopFamilies),
    ("/api/v1/top/labels", Endpoint::TopLabels),
    ("/api/v1/rejections", Endpoint::Rejections),
    ("/api/v1/admin/series/delete", Endpoint::Delete),
    ("/api/v1/admin/wipe", Endpoint::Wipe),
];

impl Endpoint {
    /// What is at a path, decoded and clean.
    pub(in crate::http) fn of(path: &str) -> Option<Self> {
        PATHS.iter().find(|(known, _)| *known == path).map(|(_, endpoint)| *endpoint)
    }

    /// Whether it is there at all.
    pub(in crate::http) fn is_served(self, admin: AdminApi) -> bool {
        match admin {
            AdminApi::On => true,
            AdminApi::Off => match self {
                Self::BuildInfo
                | Self::Flags
                | Self::Config
                | Self::RuntimeInfo
                | Self::OpenApi => true,
                Self::Families
                | Self::Series
                | Self::TopFamilies
                | Self::TopLabels
                | Self::Rejections
                | Self::Delete
                | Self::Wipe => false,
            },
        }
    }

    /// The right that it takes, where there are any.
    pub(in crate::http) const fn right(self) -> Right {
        match self {
            Self::BuildInfo | Self::RuntimeInfo | Self::OpenApi => Right::Scrape,
            Self::Flags
            | Self::Config
            | Self::Families
            | Self::Series
            | Self::TopFamilies
            | Self::TopLabels
            | Self::Rejections
            | Self::Delete
            | Self::Wipe => Right::Admin,
        }
    }

    /// Whether it changes what is held.
    pub(super) fn changes(self) -> bool {
        match self {
            Self::Delete | Self::Wipe => true,
            Self::BuildInfo
            | Self::Flags
            | Self::Config
            | Self::RuntimeInfo
            | Self::OpenApi
            | Self::Families
            | Self::Series
            | Self::TopFamilies
            | Self::TopLabels
            | Self::Rejections => false,
        }
    }

    /// The methods that it has.
    pub(super) fn allow(self) -> &'static str {
        if self.changes() { "POST, PUT" } else { "GET, HEAD" }
    }

    /// Whether it has a method.
    pub(super) fn has(self, method: &Method) -> bool {
        self.allow().split(", ").any(|has| has == method.as_str())
    }

    /// The parameters that it has.
    pub(super) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::BuildInfo
            | Self::Flags
            | Self::Config
            | Self::RuntimeInfo
            | Self::OpenApi
            | Self::Wipe => &[],
            Self::Families => &["match[]", "search", "limit", "cursor"],
            Self::Series => &["match[]", "limit", "cursor"],
            Self::TopFamilies => &["by", "limit"],
            Self::TopLabels => &["match[]", "limit"],
            Self::Rejections => &["limit", "cursor"],
            Self::Delete => &["match[]"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_described() {
        let described = include_str!("../../../../docs/openapi.yaml");
        for (path, endpoint) in PATHS {
            let text = described.split(&format!("\n  {path}:\n")).nth(1);
            let text = text.unwrap_or_else(|| panic!("{path} is not described"));
            let text = text.split("\n  /").next().unwrap_or_default();
            for method in endpoint.allow().split(", ").filter(|method| *method != "HEAD") {
                let method = method.to_ascii_lowercase();
                assert!(text.contains(&format!("    {method}:\n")), "{method} {path}");
            }
            for parameter in endpoint.parameters() {
                let shared = match *parameter {
                    "match[]" => "parameters/Match\"",
                    "limit" => "parameters/Limit\"",
                    own => own,
                };
                let is_own = text.contains(&format!("- name: {parameter}\n"));
                assert!(is_own || text.contains(shared), "{parameter} of {path}");
            }
        }
    }

    #[test]
    fn what_changes_something_is_no_read() {
        for (path, endpoint) in PATHS {
            let reads = !path.contains("/admin/");
            for (method, has) in [
                (Method::GET, reads),
                (Method::HEAD, reads),
                (Method::POST, !reads),
                (Method::PUT, !reads),
                (Method::DELETE, false),
                (Method::OPTIONS, false),
            ] {
                assert_eq!(endpoint.has(&method), has, "{method} {path}");
            }
            let is_open = path.contains("/status/") || path.contains("openapi");
            assert_eq!(endpoint.is_served(AdminApi::Off), is_open, "{path}");
            assert!(endpoint.is_served(AdminApi::On), "{path}");
        }
        assert_eq!(Endpoint::of("/api/v1/series/"), None);
    }
}
