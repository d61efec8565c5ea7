use gatepass_core::{BackendError, ConfigError};
use gatepass_http::ServerUrl;

/// The address of the Gemini API.
pub(crate) const GEMINI: &str = "https://generativelanguage.googleapis.com/v1beta";

/// The host of Vertex AI; regions have one each in front of it.
const VERTEX: &str = "aiplatform.googleapis.com";

/// Where models lie below a server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The Gemini API: `models/M`.
    Gemini,
    /// Vertex AI.
    Vertex {
        /// `projects/P/locations/L`; none in express mode, where the API key tells the project.
        home: Option<String>,
    },
}

/// The address of a Vertex AI location, as far as `publishers/google`.
///
/// # Errors
/// [`ConfigError::Invalid`] for what is no name: it would lead the token to another host, or path.
pub(crate) fn vertex_url(project: &str, location: &str) -> Result<String, ConfigError> {
    let is_project = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if project.is_empty() || project.starts_with('.') || !project.chars().all(is_project) {
        let fix = "write the project's id, my-project for instance";
        return Err(ConfigError::invalid(
            "project",
            "is no id of a Google Cloud project",
            fix,
        ));
    }
    let is_location = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if location.is_empty() || !location.chars().all(is_location) {
        let fix = "write global, us, eu, or a region such as europe-west4";
        return Err(ConfigError::invalid(
            "location",
            "is no location of Vertex AI",
            fix,
        ));
    }
    let host = match location {
        "global" => VERTEX.to_owned(),
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        region => format!("{region}-{VERTEX}"),
    };
    Ok(format!(
        "https://{host}/v1beta1/projects/{project}/locations/{location}/publishers/google"
    ))
}

/// The address of Vertex AI in express mode.
pub(crate) fn express_url() -> String {
    format!("https://{VERTEX}/v1beta1/publishers/google")
}

impl Place {
    /// Which place a base URL means, and the part of it that all of the server's paths begin with.
    pub(crate) fn of(base_url: &ServerUrl) -> (ServerUrl, Self) {
        let path = base_url.path().trim_end_matches('/');
        let segments: Vec<_> = path.split('/').collect();
        let resource = segments
            .iter()
            .position(|segment| matches!(*segment, "projects" | "publishers"));
        if let Some(at) = resource {
            let (root, resource) = segments.split_at(at);
            let home = match resource {
                ["projects", project, "locations", location, ..] => {
                    Some(format!("projects/{project}/locations/{location}"))
                }
                _ => None,
            };
            return (base_url.at_path(&root.join("/")), Self::Vertex { home });
        }
        let host = base_url.host();
        let is_vertex = host.ends_with(VERTEX) || host.ends_with(".rep.googleapis.com");
        let (place, version) = if is_vertex {
            (Self::Vertex { home: None }, "/v1beta1")
        } else {
            (Self::Gemini, "/v1beta")
        };
        let path = if path.is_empty() { version } else { path };
        (base_url.at_path(path), place)
    }

    /// The path of a model, by its name or its resource name.
    ///
    /// # Errors
    /// [`BackendError::Request`] for a name that would lead to another path.
    pub(crate) fn model(&self, name: &str) -> Result<String, BackendError> {
        let segments: Vec<_> = name.split('/').collect();
        if !segments.iter().all(|segment| is_name(segment)) {
            return Err(invalid(
                "the model's name may have letters, digits, '-', '_', '.' and '@', and '/' between them",
            ));
        }
        match self {
            Self::Gemini => match *segments {
                [model] | ["models", model] => Ok(format!("models/{model}")),
                ["tunedModels", _] => Ok(name.to_owned()),
                _ => Err(invalid("the model's name is none of the Gemini API")),
            },
            Self::Vertex { home } => {
                let within = |resource: String| match home {
                    Some(home) => format!("{home}/{resource}"),
                    None => resource,
                };
                match *segments {
                    [model] | ["models", model] => Ok(within(format!("publishers/google/models/{model}"))),
                    ["publishers", _, "models", _] | ["endpoints", _] => Ok(within(name.to_owned())),
                    [publisher, model] => Ok(within(format!("publishers/{publisher}/models/{model}"))),
                    ["projects", _, "locations", _, "endpoints", _]
                    | ["projects", _, "locations", _, "publishers", _, "models", _] => Ok(name.to_owned()),
                    _ => Err(invalid("the model's name is none of Vertex AI")),
                }
            }
        }
    }

    /// The address of an uploaded file: at the Gemini API its name will do, on Vertex AI it lies in a bucket.
    pub(crate) fn file(&self, id: &str) -> String {
        match self {
            Self::Gemini if !id.contains("://") => {
                let name = id.strip_prefix("files/").unwrap_or(id);
                format!("{GEMINI}/files/{name}")
            }
            _ => id.to_owned(),
        }
    }

    /// The path of the list of models. Vertex AI has one of all that its publisher offers, for no project.
    pub(crate) const fn models(&self) -> &'static str {
        match self {
            Self::Gemini => "models",
            Self::Vertex { .. } => "publishers/google/models",
        }
    }
}

/// Whether it is one segment of a path, and stays it.
fn is_name(segment: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    segment.chars().any(|c| c != '.') && segment.chars().all(is_part)
}

fn invalid(what: &str) -> BackendError {
    BackendError::Request { what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_http::Transport;

    fn place(url: &str) -> (String, Place) {
        let (root, place) = Place::of(&ServerUrl::parse(url, "base_url", Transport::Encrypted).unwrap());
        (root.as_str().to_owned(), place)
    }

    fn home(home: &str) -> Place {
        Place::Vertex {
            home: Some(home.into()),
        }
    }

    #[test]
    fn each_location_has_its_host() {
        for (location, host) in [
            ("global", "aiplatform.googleapis.com"),
            ("us-central1", "us-central1-aiplatform.googleapis.com"),
            ("us", "aiplatform.us.rep.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ] {
            let url = vertex_url("my-project", location).unwrap();
            let rest = format!("/v1beta1/projects/my-project/locations/{location}/publishers/google");
            assert_eq!(url, format!("https://{host}{rest}"));
            assert_eq!(
                place(&url),
                (
                    format!("https://{host}/v1beta1"),
                    home(&format!("projects/my-project/locations/{location}"))
                )
            );
        }
    }

    #[test]
    fn what_is_no_project_or_location_never_becomes_an_address() {
        for project in ["", "..", "a/b", "a?b", "a#b", "a b", "a\n", "é", "a%2e"] {
            assert!(vertex_url(project, "global").is_err(), "{project}");
        }
        for location in ["", "evil.example/", "us-central1.evil", "US", "a@b", "a#", "a\n"] {
            assert!(vertex_url("p", location).is_err(), "{location}");
        }
        assert!(vertex_url("example.com:p", "global").is_ok());
    }

    #[test]
    fn a_base_url_tells_where_models_lie() {
        let express = Place::Vertex { home: None };
        for (url, root, place_meant) in [
            (
                "https://g.example/v1beta",
                "https://g.example/v1beta",
                Place::Gemini,
            ),
            (
                "https://g.example/v1beta/",
                "https://g.example/v1beta",
                Place::Gemini,
            ),
            ("https://g.example", "https://g.example/v1beta", Place::Gemini),
            ("https://g.example/", "https://g.example/v1beta", Place::Gemini),
            (
                "https://g.example/proxy/v1?a=b",
                "https://g.example/proxy/v1?a=b",
                Place::Gemini,
            ),
            (
                "https://g.example/x/v1/projects/p/locations/l/publishers/google/?a=b",
                "https://g.example/x/v1?a=b",
                home("projects/p/locations/l"),
            ),
            (
                "https://g.example/v1/projects/p/locations/l",
                "https://g.example/v1",
                home("projects/p/locations/l"),
            ),
            (
                "https://aiplatform.googleapis.com",
                "https://aiplatform.googleapis.com/v1beta1",
                express.clone(),
            ),
            (
                "https://aiplatform.googleapis.com/v1/publishers/google",
                "https://aiplatform.googleapis.com/v1",
                express,
            ),
        ] {
            assert_eq!(place(url), (root.to_owned(), place_meant), "{url}");
        }
        assert_eq!(
            place(&express_url()).0,
            "https://aiplatform.googleapis.com/v1beta1"
        );
    }

    #[test]
    fn a_models_name_and_its_resource_name_are_the_same_model() {
        let vertex = home("projects/p/locations/l");
        let express = Place::Vertex { home: None };
        for (place, name, path) in [
            (&Place::Gemini, "gemini-2.5-flash", "models/gemini-2.5-flash"),
            (
                &Place::Gemini,
                "models/gemini-2.5-flash",
                "models/gemini-2.5-flash",
            ),
            (&Place::Gemini, "tunedModels/mine-1", "tunedModels/mine-1"),
            (&express, "m", "publishers/google/models/m"),
            (&vertex, "m", "projects/p/locations/l/publishers/google/models/m"),
            (
                &vertex,
                "models/m",
                "projects/p/locations/l/publishers/google/models/m",
            ),
            (
                &vertex,
                "publishers/meta/models/m@1",
                "projects/p/locations/l/publishers/meta/models/m@1",
            ),
            (
                &vertex,
                "meta/m",
                "projects/p/locations/l/publishers/meta/models/m",
            ),
            (&vertex, "endpoints/123", "projects/p/locations/l/endpoints/123"),
            (
                &vertex,
                "projects/q/locations/k/endpoints/1",
                "projects/q/locations/k/endpoints/1",
            ),
        ] {
            assert_eq!(place.model(name).unwrap(), path);
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in [
            "",
            "..",
            ".",
            "../files",
            "models/..",
            "models/",
            "/m",
            "m?key=1",
            "m#x",
            "m:countTokens",
            "m\n",
            "m%2e",
            "m\\n",
            "é",
            "a/b/c",
            "projects/p/secrets/s",
        ] {
            for place in [Place::Gemini, home("projects/p/locations/l")] {
                let error = place.model(name).unwrap_err();
                assert!(matches!(error, BackendError::Request { .. }), "{name}: {error:?}");
            }
        }
    }
}
