//! The checksummed, append-only segment log.
