use gatepass_core::ConfigError;
use std::sync::{Mutex, PoisonError};

/// Values that are made once and shared by all who ask with the same settings.
///
/// Each stands under a name; other settings under that name replace it, so there are never more values than
/// names, and a secret that was changed isn't kept.
pub(crate) struct Shared<S, V>(Mutex<Vec<Slot<S, V>>>);

struct Slot<S, V> {
    name: String,
    settings: S,
    value: V,
}

impl<S: PartialEq, V: Clone> Shared<S, V> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn get_or_make(
        &self,
        name: String,
        settings: S,
        make: impl FnOnce(&S) -> Result<V, ConfigError>,
    ) -> Result<V, ConfigError> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots
            .iter()
            .find(|slot| slot.name == name && slot.settings == settings)
        {
            return Ok(slot.value.clone());
        }
        let value = make(&settings)?;
        slots.retain(|slot| slot.name != name);
        slots.push(Slot {
            name,
            settings,
            value: value.clone(),
        });
        Ok(value)
    }

    /// All values.
    #[cfg(feature = "login")]
    pub(crate) fn values(&self) -> Vec<V> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().map(|slot| slot.value.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_same_settings_share_and_other_settings_replace() {
        let shared = Shared::new();
        let get = |settings: u8| {
            shared
                .get_or_make("corp".into(), settings, |_| Ok(Arc::new(settings)))
                .unwrap()
        };
        let first = get(1);
        assert!(Arc::ptr_eq(&first, &get(1)));
        assert!(!Arc::ptr_eq(&first, &get(2)));
        assert!(!Arc::ptr_eq(&first, &get(1)), "it was replaced");
    }

    #[test]
    fn a_failure_is_not_shared() {
        let shared: Shared<u8, u8> = Shared::new();
        let failing = shared.get_or_make("corp".into(), 1, |_| Err(ConfigError::invalid("a", "b", "c")));
        assert!(failing.is_err());
        assert_eq!(shared.get_or_make("corp".into(), 1, |_| Ok(7)).unwrap(), 7);
    }
}
