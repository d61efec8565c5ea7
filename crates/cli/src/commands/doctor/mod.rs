//! Looks at all that a call needs, and says what is wrong before a call does.

mod check;
mod disk;
mod logins;
mod servers;

use crate::args::{DoctorArgs, Form};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings::Findings;
use crate::{out, runtime, spinner};
use check::Check;
use gatepass::client_credentials::DEFAULT_FILES;
use serde_json::json;

/// Changes nothing, and sends no secret anywhere.
pub(crate) fn run(args: &DoctorArgs, form: Form) -> Result<Exit, Failure> {
    let profile = args.profile.profile()?;
    let mut checks = configuration(args);
    checks.extend(disk::checks(&profile));
    runtime::run(spinner::during(async {
        checks.extend(logins::checks(&profile).await);
        if args.offline {
            checks.push(Check::skipped("servers", "not asked"));
        } else {
            checks.extend(servers::checks(args.config.path.as_deref(), &profile).await);
        }
        Ok(())
    }))?;
    match form {
        Form::Text => out::styled(&checks.iter().map(Check::text).collect::<String>())?,
        Form::Json => out::json(&json!({
            "healthy": checks.iter().all(|check| check.exit() == Exit::Success),
            "checks": checks.iter().map(Check::described).collect::<Vec<_>>(),
        }))?,
    }
    let worst = checks.iter().map(Check::exit).find(|exit| *exit != Exit::Success);
    Ok(worst.unwrap_or(Exit::Success))
}

fn configuration(args: &DoctorArgs) -> Vec<Check> {
    let findings = Findings::of(args.config.path.as_deref());
    if findings.files.is_empty() {
        let names = DEFAULT_FILES.map(|name| format!("./{name}"));
        let what = format!("there is no {}", names.join(" and no "));
        return vec![Check::skipped("configuration", what)];
    }
    let files = findings.files.iter().map(|file| {
        if file.has_errors() {
            Check::broken(
                "configuration",
                file.to_string(),
                "run: gatepass config check",
                Exit::Usage,
            )
        } else if file.has_warnings() {
            Check::doubtful("configuration", file.to_string(), "run: gatepass config check")
        } else {
            Check::good("configuration", file.to_string())
        }
    });
    files.collect()
}
