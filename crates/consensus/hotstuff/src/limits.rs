//! Bounds and durations of the core. Each says what it stops and what happens at the bound.

/// Frames kept above the last final one. At the bound the oldest uncertified frame is dropped; when every frame is
/// certified, a new one is refused until finality moves.
pub const FOREST_FRAMES_MAX: usize = 1024;
/// Proposals of one rank in the forest: one by the leader, one more that a quorum certified instead.
pub const PROPOSALS_PER_RANK_MAX: usize = 2;
/// Ranks ahead of our own for which votes and timeouts are pooled; those beyond are dropped.
pub const RANKS_AHEAD_MAX: u64 = 64;
/// Ranks behind our own for which votes are still counted; older ones are late.
pub const RANKS_BEHIND_MAX: u64 = 4;
/// Messages that wait for a signature check; above it the newest message is dropped.
pub const HELD_MESSAGES_MAX: usize = 4096;
/// Proposals among them, because they are large.
pub const HELD_PROPOSALS_MAX: usize = 32;
/// Certificates remembered as refused, so that a repeated one costs nothing; oldest dropped first.
pub const REFUSED_MAX: usize = 256;
/// Checked certificates below the final rank that are remembered, because late members still name them; oldest
/// dropped first.
pub const OLD_QCS_MAX: usize = 32;
/// Distinct timeout certificates remembered as valid; oldest dropped first.
pub const VERIFIED_TCS_MAX: usize = 64;
/// Closed epochs whose committee and proof stay in memory, to answer members that are late.
pub const CLOSED_EPOCHS_MAX: usize = 4;
/// Epochs ahead of ours for which a committee is taken.
pub const EPOCHS_AHEAD_MAX: u64 = 2;
/// Votes and timeouts of the next epoch that are kept until we enter it, per member; later ones are dropped.
pub const EARLY_MESSAGES_PER_MEMBER: usize = 4;
/// Missing frames asked for at once.
pub const FETCH_IDS_MAX: usize = 16;
/// Gap to the last final frame, in frames, from which catch-up is asked for instead of single proposals.
pub const FETCH_GAP_MAX: u64 = 32;
/// Milliseconds before a missing frame is asked for: mostly it is on its way.
pub const FETCH_DELAY_MS: u64 = 100;
/// Milliseconds between two requests for the same missing data.
pub const FETCH_RETRY_MS: u64 = 1_000;
/// Fetch attempts for one frame before catch-up is asked for.
pub const FETCH_ATTEMPTS_MAX: u32 = 4;
/// Milliseconds between two broadcasts of our last timeout, and between two answers to one late member.
pub const REBROADCAST_MS: u64 = 5_000;
/// Longest rank timer, milliseconds (C5).
pub const TIMER_CAP_MS: u64 = 60_000;
/// Failed ranks without growth of the timer (C5).
pub const TIMER_FREE_FAILURES: u32 = 2;
/// Final ranks whose certification delay is remembered (C5).
pub const DELAY_SAMPLES: usize = 32;
/// Ranks per (epoch, member, kind) that admission remembers; beyond it the lowest is forgotten and refused.
pub const ADMISSION_SLOTS: usize = 32;
/// Members that answer one late timeout in a large committee.
pub const ANSWERERS: usize = 8;
/// Final frames above which a follower's view of certified frames is cut.
pub const FORK_VIEW_MAX: usize = 1024;
