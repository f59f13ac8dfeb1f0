//! What a simulated disk holds: of each file and of the names, what every process sees (*live*),
//! what a power failure leaves (*kept*), and the steps between the two that no sync has settled.
//! Steps on bytes are lost or kept by sector of 512 bytes; steps on names one by one, but never a
//! step without the earlier ones on the same file or name.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::disk::Entry;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A folder.
    Folder,
    /// The file of this number.
    File(u64),
}

/// Everything on one disk.
#[derive(Clone)]
pub(crate) struct State {
    files: BTreeMap<u64, Content>,
    live: BTreeMap<PathBuf, Node>,
    kept: BTreeMap<PathBuf, Node>,
    steps: Vec<Step>,
    next_file: u64,
    random: Random,
}

/// A sequence of choices that its seed decides (SplitMix64).
#[derive(Clone)]
pub(crate) struct Random(u64);

#[derive(Clone, Default)]
struct Content {
    live: Vec<u8>,
    kept: Vec<u8>,
    edits: Vec<Edit>,
}

#[derive(Clone)]
enum Edit {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

#[derive(Clone)]
enum Step {
    Add(PathBuf, Node),
    Remove(PathBuf, Node),
    Move(PathBuf, PathBuf, Node),
}

const SECTOR: usize = 512;

impl State {
    /// An empty disk.
    pub(crate) fn new(random: Random) -> State {
        State {
            files: BTreeMap::new(),
            live: BTreeMap::new(),
            kept: BTreeMap::new(),
            steps: Vec::new(),
            next_file: 1,
            random,
        }
    }

    /// What a name stands for now.
    pub(crate) fn node(&self, path: &Path) -> Option<Node> {
        if path.as_os_str().is_empty() {
            return Some(Node::Folder);
        }
        self.live.get(path).copied()
    }

    /// The file of this name.
    pub(crate) fn find(&self, path: &Path) -> io::Result<u64> {
        match self.node(path) {
            Some(Node::File(id)) => Ok(id),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Makes an empty file.
    pub(crate) fn create(&mut self, path: &Path) -> io::Result<u64> {
        self.folder_of(path)?;
        if self.node(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, Content::default());
        self.step(Step::Add(path.to_owned(), Node::File(id)));
        Ok(id)
    }

    /// Makes a folder if there is none.
    pub(crate) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        self.folder_of(path)?;
        match self.node(path) {
            Some(Node::Folder) => {}
            Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            None => self.step(Step::Add(path.to_owned(), Node::Folder)),
        }
        Ok(())
    }

    /// Removes a folder that holds nothing; whether it is gone.
    pub(crate) fn remove_dir(&mut self, path: &Path) -> io::Result<bool> {
        match self.node(path) {
            Some(Node::Folder) if self.list(path)?.is_empty() => {
                self.step(Step::Remove(path.to_owned(), Node::Folder));
                Ok(true)
            }
            Some(Node::Folder) => Ok(false),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Ok(true),
        }
    }

    /// Gives a file another name.
    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.find(from)?;
        self.folder_of(to)?;
        if self.node(to) == Some(Node::Folder) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.step(Step::Move(from.to_owned(), to.to_owned(), Node::File(id)));
        Ok(())
    }

    /// Removes a file's name.
    pub(crate) fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let id = self.find(path)?;
        self.step(Step::Remove(path.to_owned(), Node::File(id)));
        Ok(())
    }

    /// The names directly in a folder.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        if self.node(path) != Some(Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = self
            .live
            .iter()
            .filter(|(name, _)| name.parent() == Some(path));
        Ok(inside
            .map(|(name, node)| Entry {
                name: name
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                is_dir: *node == Node::Folder,
            })
            .collect())
    }

    /// Settles the steps that put a name into this folder or took one out of it.
    pub(crate) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        if self.node(path) != Some(Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let wanted = self.steps.iter().map(|step| step.is_in(path)).collect();
        for (step, chosen) in self.split(wanted) {
            match chosen {
                true => step.apply(&mut self.kept),
                false => self.steps.push(step),
            }
        }
        Ok(())
    }

    /// A failed sync: each step in this folder is settled now, for good or as lost.
    pub(crate) fn half_sync_dir(&mut self, path: &Path) {
        let mut random = self.random.clone();
        let wanted = self
            .steps
            .iter()
            .map(|step| step.is_in(path) && random.percent(50))
            .collect();
        self.random = random;
        for (step, chosen) in self.split(wanted) {
            match chosen {
                true => step.apply(&mut self.kept),
                false if step.is_in(path) => {}
                false => self.steps.push(step),
            }
        }
    }

    /// The bytes of a file as every process sees them.
    pub(crate) fn live(&self, id: u64) -> &[u8] {
        self.files.get(&id).map_or(&[], |file| &file.live)
    }

    /// Writes into a file.
    pub(crate) fn write(&mut self, id: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.edit(id, Edit::Write(offset, bytes.to_owned()));
        Ok(())
    }

    /// A failed write: some of the bytes from the first on are written.
    pub(crate) fn half_write(&mut self, id: u64, offset: u64, bytes: &[u8]) {
        let Ok(offset) = usize::try_from(offset) else {
            return;
        };
        let end = offset + self.random.below(bytes.len() + 1);
        // Where the file was longer before, no sector is left half written over.
        let torn = end < offset + bytes.len() && end < self.live(id).len();
        let end = if torn { end / SECTOR * SECTOR } else { end };
        let part = bytes.get(..end.saturating_sub(offset)).unwrap_or_default();
        self.edit(id, Edit::Write(offset, part.to_owned()));
    }

    /// Cuts or fills up a file.
    pub(crate) fn set_len(&mut self, id: u64, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.edit(id, Edit::SetLen(len));
        Ok(())
    }

    /// Settles all edits of a file.
    pub(crate) fn sync(&mut self, id: u64) {
        if let Some(file) = self.files.get_mut(&id) {
            for edit in file.edits.drain(..) {
                edit.apply(&mut file.kept);
            }
            // What an earlier failed sync lost stays lost; only the length is right again.
            file.kept.resize(file.live.len(), 0);
        }
    }

    /// A failed sync: some sectors reach the disk, the others never will, although they read well.
    pub(crate) fn half_sync(&mut self, id: u64) {
        if let Some(file) = self.files.get_mut(&id) {
            file.kept = file.survivor(&mut self.random, 50);
            file.edits.clear();
        }
    }

    /// What a power failure leaves.
    pub(crate) fn crash(&self, mut random: Random) -> State {
        // Nothing unsynced, all of it, and the mixtures in between.
        let percent = random.below(5) * 25;
        let mut settled = self.clone();
        let wanted = settled
            .steps
            .iter()
            .map(|_| random.percent(percent))
            .collect();
        for (step, chosen) in settled.split(wanted) {
            if chosen {
                step.apply(&mut settled.kept);
            }
        }
        let names = settled.kept;
        let is_reachable = |path: &Path| {
            let mut above = path.ancestors().skip(1);
            above.all(|path| path.as_os_str().is_empty() || names.get(path) == Some(&Node::Folder))
        };
        let mut crashed = State::new(random.clone());
        crashed.next_file = self.next_file;
        for (path, node) in names.iter().filter(|(path, _)| is_reachable(path)) {
            crashed.live.insert(path.clone(), *node);
            if let Node::File(id) = node
                && let Some(file) = self.files.get(id)
            {
                let bytes = file.survivor(&mut random, percent);
                let content = Content {
                    kept: bytes.clone(),
                    live: bytes,
                    edits: Vec::new(),
                };
                crashed.files.insert(*id, content);
            }
        }
        crashed.kept.clone_from(&crashed.live);
        crashed.random = random;
        crashed
    }

    fn folder_of(&self, path: &Path) -> io::Result<()> {
        match path.parent().and_then(|parent| self.node(parent)) {
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn step(&mut self, step: Step) {
        step.apply(&mut self.live);
        self.steps.push(step);
    }

    fn edit(&mut self, id: u64, edit: Edit) {
        if let Some(file) = self.files.get_mut(&id) {
            edit.apply(&mut file.live);
            file.edits.push(edit);
        }
    }

    /// Takes all steps out, each with whether it is wanted or a wanted one rests on it.
    fn split(&mut self, mut wanted: Vec<bool>) -> Vec<(Step, bool)> {
        let mut paths: BTreeSet<&Path> = BTreeSet::new();
        let mut files = BTreeSet::new();
        for (step, wanted) in self.steps.iter().zip(&mut wanted).rev() {
            let (names, node) = step.touches();
            let file = match node {
                Node::File(id) => Some(id),
                Node::Folder => None,
            };
            *wanted |= names.iter().any(|name| paths.contains(name))
                || file.is_some_and(|id| files.contains(&id));
            if *wanted {
                paths.extend(names);
                files.extend(file);
            }
        }
        core::mem::take(&mut self.steps)
            .into_iter()
            .zip(wanted)
            .collect()
    }
}

impl Content {
    /// The bytes after a power failure: each sector of each edit arrives or not, and the length is
    /// one that the file had since its last sync.
    fn survivor(&self, random: &mut Random, percent: usize) -> Vec<u8> {
        let mut bytes = self.kept.clone();
        let mut lens = vec![bytes.len()];
        for edit in &self.edits {
            let len = lens.last().copied().unwrap_or(0);
            match edit {
                Edit::SetLen(new) => {
                    lens.push(*new);
                    if random.percent(percent) {
                        bytes.truncate(*new);
                    }
                }
                Edit::Write(offset, new) => {
                    lens.push(len.max(offset + new.len()));
                    for (at, piece) in sectors(*offset, new) {
                        if random.percent(percent) {
                            Edit::Write(at, piece.to_owned()).apply(&mut bytes);
                        }
                    }
                }
            }
        }
        let last = lens.len() - 1;
        let chosen = match percent {
            0 => 0,
            100 => last,
            _ => random.below(lens.len()),
        };
        bytes.resize(lens.get(chosen).copied().unwrap_or(0), 0);
        bytes
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Edit::SetLen(len) => bytes.resize(*len, 0),
            Edit::Write(_, new) if new.is_empty() => {}
            Edit::Write(offset, new) => {
                let end = offset + new.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                if let Some(place) = bytes.get_mut(*offset..end) {
                    place.copy_from_slice(new);
                }
            }
        }
    }
}

impl Step {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Step::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            Step::Remove(path, node) => {
                if names.get(path) == Some(node) {
                    names.remove(path);
                }
            }
            Step::Move(from, to, node) => {
                if names.get(from) == Some(node) {
                    names.remove(from);
                }
                names.insert(to.clone(), *node);
            }
        }
    }

    /// Whether a sync of `folder` promises this step: of a move, only one of the new name's folder.
    fn is_in(&self, folder: &Path) -> bool {
        let (Step::Add(path, _) | Step::Remove(path, _) | Step::Move(_, path, _)) = self;
        path.parent() == Some(folder)
    }

    fn touches(&self) -> (Vec<&Path>, Node) {
        match self {
            Step::Add(path, node) | Step::Remove(path, node) => (vec![path], *node),
            Step::Move(from, to, node) => (vec![from, to], *node),
        }
    }
}

impl Random {
    /// The choices of this seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The parts of a write that each lie in one sector.
fn sectors(mut offset: usize, mut bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let room = SECTOR - offset % SECTOR;
        let (part, rest) = bytes.split_at(room.min(bytes.len()));
        parts.push((offset, part));
        offset += part.len();
        bytes = rest;
    }
    parts
}
