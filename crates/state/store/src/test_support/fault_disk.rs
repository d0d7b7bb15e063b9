use std::io;
use std::ops::{Bound, Range};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

use crate::error::StoreError;
use crate::files::{Origin, builder};
use crate::redb_store::RedbStore;
use crate::state::{StateFile, StateOptions};
use crate::store::Store;

/// Unit in which a disk writes atomically, bytes.
const SECTOR_BYTES: usize = 512;

/// When a [`FaultDisk`] begins to fail. Counters run from the moment the fault is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// This many further writes succeed, then every write fails.
    WritesAfter(u64),
    /// This many further flushes succeed, then every flush fails.
    SyncsAfter(u64),
    /// The disk holds this many bytes; growing beyond fails with "no space".
    Capacity(u64),
}

/// A disk in memory that forgets what was not flushed, in the way a real one does when the power fails: of the
/// writes since the last flush any subset survives, and a write may be cut between sectors.
///
/// Clones share one content.
#[derive(Clone, Debug, Default)]
pub struct FaultDisk {
    state: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    /// What survives for sure.
    durable: Vec<u8>,
    /// What the running program reads back.
    cached: Vec<u8>,
    pending: Vec<Pending>,
    fault: Option<DiskFault>,
}

#[derive(Clone, Debug)]
enum Pending {
    Write { offset: usize, data: Vec<u8> },
    Resize { len: usize },
}

impl FaultDisk {
    /// An empty disk that works.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Arms a fault, replacing the one before.
    pub fn arm(&self, fault: DiskFault) {
        self.lock().fault = Some(fault);
    }

    /// Bytes the program has written, flushed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().cached.len()
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The disk as found after a power failure now; `seed` picks which unflushed sectors survive. Faults are gone.
    #[must_use]
    pub fn power_cut(&self, seed: u64) -> Self {
        let disk = self.lock();
        let mut image = disk.durable.clone();
        let mut random = SplitMix(seed);
        for pending in &disk.pending {
            match pending {
                Pending::Resize { len } => {
                    // The size change is journalled by file systems before later data; losing it loses nothing
                    // that was acknowledged, so half of the time it is lost.
                    if random.coin() {
                        image.resize(*len, 0);
                    }
                }
                Pending::Write { offset, data } => survive(&mut image, *offset, data, &mut random),
            }
        }
        Self {
            state: Arc::new(Mutex::new(Disk {
                cached: image.clone(),
                durable: image,
                ..Disk::default()
            })),
        }
    }

    /// Opens a state file on this disk, creating it when the disk is empty.
    ///
    /// # Errors
    /// As [`StateFile::open`].
    pub fn open_state(&self, options: StateOptions) -> Result<StateFile, StoreError> {
        let path = Path::new("simulated disk");
        let origin = if self.is_empty() {
            Origin::Created
        } else {
            Origin::Existing
        };
        let spec = options.spec();
        let db = builder(spec.cache_bytes)
            .create_with_backend(self.clone())
            .map_err(|e| StoreError::opening(path, e))?;
        let store = RedbStore::new(db, path, spec.repair, None);
        if origin == Origin::Created {
            store.commit(&spec.record.batch()?)?;
        }
        spec.record.check(&*store.view()?, path)?;
        Ok(StateFile::from_parts(store, origin))
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a random choice of the sectors of `data`: all, none, or each by a coin.
fn survive(image: &mut Vec<u8>, offset: usize, data: &[u8], random: &mut SplitMix) {
    let fate = random.next() % 4;
    if fate == 0 {
        return;
    }
    for (index, sector) in data.chunks(SECTOR_BYTES).enumerate() {
        if fate == 1 && random.coin() {
            continue;
        }
        let start = offset.saturating_add(index.saturating_mul(SECTOR_BYTES));
        let end = start.saturating_add(sector.len());
        if image.len() < end {
            image.resize(end, 0);
        }
        if let Some(target) = image.get_mut(start..end) {
            target.copy_from_slice(sector);
        }
    }
}

impl Disk {
    fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        if let Some(DiskFault::WritesAfter(left)) = &mut self.fault {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("write failed"))?;
        }
        let range = byte_range(offset, data.len(), self.cached.len())?;
        self.pending.push(Pending::Write {
            offset: range.start,
            data: data.to_vec(),
        });
        self.cached
            .get_mut(range)
            .ok_or_else(out_of_range)?
            .copy_from_slice(data);
        Ok(())
    }

    fn resize(&mut self, len: u64) -> io::Result<()> {
        if let Some(DiskFault::Capacity(capacity)) = self.fault
            && len > capacity
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let len = usize::try_from(len).map_err(|_| out_of_range())?;
        self.pending.push(Pending::Resize { len });
        self.cached.resize(len, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Some(DiskFault::SyncsAfter(left)) = &mut self.fault {
            // What was pending stays pending: after a failed flush nobody knows what reached the disk.
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("flush failed"))?;
        }
        for pending in self.pending.drain(..) {
            match pending {
                Pending::Resize { len } => self.durable.resize(len, 0),
                Pending::Write { offset, data } => {
                    let end = offset.saturating_add(data.len());
                    self.durable
                        .get_mut(offset..end)
                        .ok_or_else(out_of_range)?
                        .copy_from_slice(&data);
                }
            }
        }
        debug_assert_eq!(self.durable.len(), self.cached.len());
        Ok(())
    }
}

impl StorageBackend for FaultDisk {
    fn len(&self) -> Result<u64, io::Error> {
        u64::try_from(self.lock().cached.len()).map_err(|_| out_of_range())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let disk = self.lock();
        let range = byte_range(offset, out.len(), disk.cached.len())?;
        out.copy_from_slice(disk.cached.get(range).ok_or_else(out_of_range)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.lock().resize(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.lock().sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.lock().write(offset, data)
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

fn byte_range(offset: u64, len: usize, total: usize) -> io::Result<Range<usize>> {
    let start = usize::try_from(offset).map_err(|_| out_of_range())?;
    let end = start
        .checked_add(len)
        .filter(|end| *end <= total)
        .ok_or_else(out_of_range)?;
    Ok(start..end)
}

fn out_of_range() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    const fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }
}
