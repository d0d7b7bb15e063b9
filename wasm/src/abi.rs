//! What JavaScript sees: one input buffer, one output buffer, one call.
//!
//! The module owns both buffers, so no pointer ever comes in: JavaScript asks for room, writes there, calls, and reads
//! where it is told. Buffers hold secrets; they are erased before they are given back.
#![allow(
    unsafe_code,
    reason = "exported names need the attribute `no_mangle`; nothing here reads or writes through a pointer"
)]

use std::cell::RefCell;

use zeroize::Zeroize;

use crate::call::{INPUT_BYTES_MAX, run};

/// Status of a call that succeeded; others are codes of [`crate::CallError`].
const OK: u32 = 0;

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for a request of so many bytes, all zero. Null if it is more than [`INPUT_BYTES_MAX`] or than the memory
/// has. The room is valid until the next call of this module.
#[unsafe(no_mangle)]
pub extern "C" fn quil_input(bytes: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|input| {
        input.zeroize();
        if bytes > INPUT_BYTES_MAX || input.try_reserve_exact(bytes).is_err() {
            return std::ptr::null_mut();
        }
        input.resize(bytes, 0);
        input.as_mut_ptr()
    })
}

/// Runs a [`crate::Call`] by its number on the request. Afterwards the output holds the result (status 0) or the message
/// of the error (its code), and the input is erased.
#[unsafe(no_mangle)]
pub extern "C" fn quil_call(number: u32) -> u32 {
    let mut request = INPUT.take();
    let done = run(number, &request);
    request.zeroize();
    let (status, bytes) = match done {
        Ok(result) => (OK, result),
        Err(error) => (error.code(), error.to_string().into_bytes()),
    };
    OUTPUT.with_borrow_mut(|output| {
        output.zeroize();
        *output = bytes;
    });
    status
}

/// Where the output begins; valid until the next call of this module.
#[unsafe(no_mangle)]
pub extern "C" fn quil_output() -> *const u8 {
    OUTPUT.with_borrow(Vec::as_ptr)
}

/// Bytes of the output.
#[unsafe(no_mangle)]
pub extern "C" fn quil_output_bytes() -> usize {
    OUTPUT.with_borrow(Vec::len)
}

/// Erases both buffers.
#[unsafe(no_mangle)]
pub extern "C" fn quil_clear() {
    INPUT.take().zeroize();
    OUTPUT.take().zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;

    fn output() -> Vec<u8> {
        OUTPUT.with_borrow(Clone::clone)
    }

    #[test]
    fn calls_report_status_and_message() {
        assert!(!quil_input(64).is_null());
        assert_eq!(quil_call(Call::WalletPhrase.number()), OK);
        let phrase = String::from_utf8(output()).unwrap();
        assert_eq!(phrase.split(' ').count(), 24);
        assert_eq!(quil_output_bytes(), phrase.len());
        // The request is gone: the same call has none now.
        assert_ne!(quil_call(Call::WalletPhrase.number()), OK);
        assert!(!String::from_utf8(output()).unwrap().is_empty());
        quil_clear();
        assert_eq!(quil_output_bytes(), 0);
    }

    #[test]
    fn room_is_bounded() {
        assert!(quil_input(INPUT_BYTES_MAX + 1).is_null());
        assert!(quil_input(usize::MAX).is_null());
        assert!(!quil_input(INPUT_BYTES_MAX).is_null());
        quil_clear();
    }
}
