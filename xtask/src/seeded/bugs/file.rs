//! Bugs of the encrypted file.

use crate::seeded::Bug;

pub(super) const BUGS: &[Bug] = &[
    Bug {
        what: "others may read the file",
        file: "crates/store-file/src/directory/unix.rs",
        text: "const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR);",
        instead: "const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);",
        test: "gatepass-file-store --test it processes::nothing_is_ever_open_to_others_whatever_the_umask_says",
    },
    Bug {
        what: "a symbolic link in the store is followed",
        file: "crates/store-file/src/directory/unix.rs",
        text: "const SAFELY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK)",
        instead: "const SAFELY: OFlags = OFlags::NONBLOCK",
        test: "gatepass-file-store --test it planted",
    },
    Bug {
        what: "a key that others can read is used",
        file: "crates/store-file/src/directory/mod.rs",
        text: "Some((_, facts)) if facts.loose =>",
        instead: "Some((_, facts)) if facts.loose && facts.linked =>",
        test: "gatepass-file-store --test it processes::loose_files_are_tightened_by_the_next_save_and_a_loose_key_is_refused",
    },
    Bug {
        what: "the file isn't synced before it gets its name",
        file: "crates/store-file/src/directory/mod.rs",
        text: "file.write_all(bytes)?;\n        file.sync_all()",
        instead: "file.write_all(bytes)",
        test: "gatepass-file-store --test it power::after_a_power_loss_old_or_new_is_there_and_nothing_acknowledged_is_lost",
    },
    Bug {
        what: "the directory isn't synced after the file got its name",
        file: "crates/store-file/src/directory/mod.rs",
        text: "self.handle.rename(TEMPORARY, name)?;\n        self.handle.sync()",
        instead: "self.handle.rename(TEMPORARY, name)",
        test: "gatepass-file-store --test it power::after_a_power_loss_old_or_new_is_there_and_nothing_acknowledged_is_lost",
    },
    Bug {
        what: "the file is written in place",
        file: "crates/store-file/src/directory/mod.rs",
        text: "self.fill(bytes)?;",
        instead: "_ = self.handle.remove(name);\n        self.fill(bytes)?;",
        test: "gatepass-file-store --test it full::a_full_disk_keeps_the_old_credential_and_a_freed_one_takes_the_new",
    },
    Bug {
        what: "a lock keeps nobody out",
        file: "crates/store-file/src/lock.rs",
        text: "Err(TryLockError::WouldBlock) => file = back,",
        instead: "Err(TryLockError::WouldBlock) => return Ok(Held(back)),",
        test: "gatepass-file-store --test it locks::who_waits_too_long_is_told_so",
    },
    Bug {
        what: "a lock is waited for thirty times too long",
        file: "crates/store-file/src/lock.rs",
        text: "let left = patience.saturating_sub(begin.elapsed());",
        instead: "let left = (patience * 30).saturating_sub(begin.elapsed());",
        test: "gatepass-file-store --test it locks::who_waits_too_long_is_told_so",
    },
    Bug {
        what: "the signature isn't checked",
        file: "crates/store-file/src/fernet.rs",
        text: "signed_by_us.map_err(|_| Reject::Signature)?;",
        instead: "_ = signed_by_us;",
        test: "gatepass-file-store --lib fernet::tests",
    },
    Bug {
        what: "an initialisation vector comes twice",
        file: "crates/store-file/src/fernet.rs",
        text: "getrandom::getrandom(&mut iv)?;",
        instead: "",
        test: "gatepass-file-store --lib fernet::tests::no_initialisation_vector_comes_twice",
    },
    Bug {
        what: "a key is used with the line break that came along",
        file: "crates/store-file/src/fernet.rs",
        text: "URL_SAFE.decode(text.trim_ascii())",
        instead: "URL_SAFE.decode(text)",
        test: "gatepass-file-store --lib fernet::tests::a_key_is_44_characters",
    },
    Bug {
        what: "one account's record passes for another's",
        file: "crates/store-file/src/document.rs",
        text: "if record.get(member) != Some(&expected) {",
        instead: "if record.get(member).is_none() {",
        test: "gatepass-file-store --lib document::tests::swapped_records_are_corrupt",
    },
];
