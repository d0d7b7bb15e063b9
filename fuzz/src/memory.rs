//! Memory that one thread holds, counted by the allocator of every program that links this crate.
//!
//! What pools of other threads hold is not counted.

#![allow(
    unsafe_code,
    reason = "an allocator is an unsafe trait; this one only counts and hands on"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static GLOBAL: Counting = Counting;

fn grow(bytes: usize) {
    // A thread that is ending has no counters any more; nobody reads them then.
    let _ = LIVE.try_with(|live| {
        live.set(live.get().saturating_add(bytes));
        PEAK.try_with(|peak| peak.set(peak.get().max(live.get())))
    });
}

fn shrink(bytes: usize) {
    let _ = LIVE.try_with(|live| live.set(live.get().saturating_sub(bytes)));
}

// SAFETY: every call is handed to the system's allocator with the same arguments, so its promises hold; the counters are
// plain cells without destructor and never allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the rules of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        shrink(layout.size());
        // SAFETY: `place` came from this allocator, that is from the system's, with this layout.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        shrink(layout.size());
        // SAFETY: `place` came from this allocator, that is from the system's, with this layout.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// Runs `work`; says how many bytes this thread held at most during it, beyond what it held before.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    let result = work();
    let peak = PEAK.with(Cell::get).saturating_sub(before);
    (result, peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_memory_counts_before_it_is_touched() {
        let (kept, peak) = peak_of(|| Vec::<u8>::with_capacity(1 << 28));
        assert!(peak >= 1 << 28);
        drop(kept);
        let (_, peak) = peak_of(|| Vec::<u8>::with_capacity(10));
        assert!((10..100).contains(&peak));
    }

    #[test]
    fn peak_is_of_what_is_held_at_once() {
        let ((), peak) = peak_of(|| {
            for _ in 0..100 {
                drop(vec![0u8; 1000]);
            }
            let mut grown = vec![0u8; 1000];
            grown.reserve_exact(2000);
        });
        assert!((3000..10_000).contains(&peak), "{peak}");
    }
}
