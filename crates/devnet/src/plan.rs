//! How large a local network is and how fast it goes.

use core::fmt;
use core::str::FromStr;

/// Most nodes: beyond it one machine is no network any more.
pub const NODES_MAX: u16 = 16;
/// Most workers of a node.
pub const WORKERS_MAX: u16 = 8;
/// Most processes: every one dials every other, and a host keeps at most 64 addresses.
pub const PROCESSES_MAX: u16 = 48;
/// Shortest frame interval, milliseconds: below it the round trips of votes between processes do not fit.
pub const FRAME_MS_MIN: u64 = 200;
/// Longest frame interval, milliseconds: the cap of a rank's timer (C5).
pub const FRAME_MS_MAX: u64 = 60_000;

/// Why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Not between 1 and [`NODES_MAX`].
    #[error("{0} nodes; 1 to {NODES_MAX} are possible")]
    Nodes(u16),
    /// Not between 1 and [`WORKERS_MAX`].
    #[error("{0} workers in each node; 1 to {WORKERS_MAX} are possible")]
    Workers(u16),
    /// More than [`PROCESSES_MAX`].
    #[error("{0} processes; at most {PROCESSES_MAX} are possible: fewer nodes or workers")]
    Processes(u32),
    /// Not between [`FRAME_MS_MIN`] and [`FRAME_MS_MAX`].
    #[error("a frame interval of {0}; 200ms to 60s are possible")]
    Interval(FrameTime),
    /// Not a number with a unit.
    #[error("`{0}` is no frame interval; write for example 2s or 500ms")]
    IntervalText(String),
}

/// A frame interval: whole milliseconds, written `500ms` or `2s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameTime(u64);

impl FrameTime {
    /// From milliseconds.
    ///
    /// # Errors
    /// [`PlanError::Interval`].
    pub const fn from_millis(ms: u64) -> Result<Self, PlanError> {
        if ms < FRAME_MS_MIN || ms > FRAME_MS_MAX {
            return Err(PlanError::Interval(Self(ms)));
        }
        Ok(Self(ms))
    }

    /// Milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for FrameTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}s", self.0 / 1000)
        } else {
            write!(f, "{}ms", self.0)
        }
    }
}

impl FromStr for FrameTime {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let (digits, unit) = match text.strip_suffix("ms") {
            Some(digits) => (digits, 1),
            None => (text.strip_suffix('s').unwrap_or_default(), 1000),
        };
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits.parse::<u64>().ok().filter(|_| plain);
        let ms = number.and_then(|n| n.checked_mul(unit));
        Self::from_millis(ms.ok_or_else(|| PlanError::IntervalText(text.to_owned()))?)
    }
}

/// What a user asked for; the rest is the default or what the folder holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Nodes.
    pub nodes: Option<u16>,
    /// Workers of each node.
    pub workers: Option<u16>,
    /// Frame interval.
    pub frame_time: Option<FrameTime>,
}

/// A plan that can be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevnetPlan {
    nodes: u16,
    workers: u16,
    frame_time: FrameTime,
}

impl DevnetPlan {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`PlanError`], one variant per number.
    pub fn new(nodes: u16, workers: u16, frame_time: FrameTime) -> Result<Self, PlanError> {
        if !(1..=NODES_MAX).contains(&nodes) {
            return Err(PlanError::Nodes(nodes));
        }
        if !(1..=WORKERS_MAX).contains(&workers) {
            return Err(PlanError::Workers(workers));
        }
        let processes = u32::from(nodes).saturating_mul(u32::from(workers).saturating_add(1));
        if processes > u32::from(PROCESSES_MAX) {
            return Err(PlanError::Processes(processes));
        }
        Ok(Self {
            nodes,
            workers,
            frame_time,
        })
    }

    /// Four nodes with one worker each and a frame every two seconds: two cores carry them.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            nodes: 4,
            workers: 1,
            frame_time: FrameTime(2000),
        }
    }

    /// The standard plan with what the user asked for.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn with(choice: &Choice) -> Result<Self, PlanError> {
        let standard = Self::standard();
        Self::new(
            choice.nodes.unwrap_or(standard.nodes),
            choice.workers.unwrap_or(standard.workers),
            choice.frame_time.unwrap_or(standard.frame_time),
        )
    }

    /// What the user asked for and this plan does not have, in words.
    #[must_use]
    pub fn contradiction(&self, choice: &Choice) -> Option<String> {
        let differs = |what: &str, asked: Option<String>, has: String| {
            let asked = asked.filter(|a| *a != has)?;
            Some(format!("{what} is {has}, not {asked}"))
        };
        let text = |n: Option<u16>| n.map(|n| n.to_string());
        differs("--nodes", text(choice.nodes), self.nodes.to_string())
            .or_else(|| differs("--workers", text(choice.workers), self.workers.to_string()))
            .or_else(|| {
                let asked = choice.frame_time.map(|t| t.to_string());
                differs("--frame-time", asked, self.frame_time.to_string())
            })
    }

    /// Nodes.
    #[must_use]
    pub const fn nodes(&self) -> u16 {
        self.nodes
    }

    /// Workers of each node. All of them are members of the native token's shard.
    #[must_use]
    pub const fn workers(&self) -> u16 {
        self.workers
    }

    /// Frame interval.
    #[must_use]
    pub const fn frame_time(&self) -> FrameTime {
        self.frame_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_time_reads_what_it_prints() {
        for (text, ms) in [
            ("2s", 2000),
            ("500ms", 500),
            ("60s", 60_000),
            ("1500ms", 1500),
        ] {
            let time: FrameTime = text.parse().unwrap();
            assert_eq!((time.millis(), time.to_string()), (ms, text.to_owned()));
        }
        assert_eq!("2000ms".parse::<FrameTime>().unwrap().to_string(), "2s");
    }

    #[test]
    fn frame_time_that_is_none_is_named() {
        for text in [
            "",
            "2",
            "s",
            "ms",
            "-1s",
            "+2s",
            "2 s",
            "2m",
            "1e3ms",
            "99999999999999999999s",
        ] {
            let refused = text.parse::<FrameTime>().unwrap_err();
            assert_eq!(refused, PlanError::IntervalText(text.to_owned()));
        }
        for text in ["199ms", "0s", "61s", "60001ms"] {
            let refused = text.parse::<FrameTime>().unwrap_err();
            assert!(matches!(refused, PlanError::Interval(_)), "{text}");
            assert!(refused.to_string().contains(text), "{refused}");
        }
    }

    #[test]
    fn numbers_outside_their_ranges_are_refused() {
        let time = FrameTime::from_millis(2000).unwrap();
        let plan = |nodes, workers| DevnetPlan::new(nodes, workers, time);
        assert_eq!(plan(0, 1), Err(PlanError::Nodes(0)));
        assert_eq!(plan(17, 1), Err(PlanError::Nodes(17)));
        assert_eq!(plan(4, 0), Err(PlanError::Workers(0)));
        assert_eq!(plan(4, 9), Err(PlanError::Workers(9)));
        assert_eq!(plan(16, 3), Err(PlanError::Processes(64)));
        assert!(plan(16, 2).is_ok() && plan(1, 1).is_ok());
    }

    #[test]
    fn choice_fills_the_standard_plan_and_contradicts_another() {
        let choice = Choice {
            nodes: Some(2),
            ..Choice::default()
        };
        let plan = DevnetPlan::with(&choice).unwrap();
        assert_eq!((plan.nodes(), plan.workers()), (2, 1));
        assert_eq!(plan.frame_time().to_string(), "2s");
        assert_eq!(plan.contradiction(&choice), None);
        assert_eq!(plan.contradiction(&Choice::default()), None);
        let standard = DevnetPlan::standard();
        assert_eq!(
            standard.contradiction(&choice).unwrap(),
            "--nodes is 4, not 2"
        );
        let faster = Choice {
            frame_time: Some("1s".parse().unwrap()),
            ..Choice::default()
        };
        assert_eq!(
            standard.contradiction(&faster).unwrap(),
            "--frame-time is 2s, not 1s"
        );
    }
}
