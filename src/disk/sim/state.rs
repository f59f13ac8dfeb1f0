//! What a simulated disk holds: of each file and of the names, what every process sees (*live*),
//! what a power failure leaves (*kept*), and the steps between the two that no sync has settled.
//! Steps on names are lost or kept one by one, but never a step without the earlier ones on the same
//! file or name. A clone shares all bytes with what it is a clone of until either is written.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Entry;
use crate::disk::sim::content::Content;
use crate::disk::sim::content::Fate;
use crate::disk::sim::content::SECTOR;
use crate::disk::sim::random::Random;
use crate::disk::sim::random::fold;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A folder.
    Folder,
    /// The file of this number.
    File(u64),
}

/// A path below the store's folder. Compared by its bytes and not by its components, since names are
/// looked up some hundred times in each state that is opened.
pub(super) type Name = Arc<str>;

/// What every name stands for.
pub(super) type Names = BTreeMap<Name, Node>;

/// Everything on one disk.
#[derive(Clone)]
pub(crate) struct State {
    pub(super) files: BTreeMap<u64, Arc<Content>>,
    pub(super) live: Arc<Names>,
    pub(super) kept: Arc<Names>,
    pub(super) steps: Vec<Step>,
    next_file: u64,
    pub(super) random: Random,
}

#[derive(Clone)]
pub(super) enum Step {
    Add(Name, Node),
    Remove(Name, Node),
    Move(Name, Name, Node),
}

impl State {
    /// An empty disk.
    pub(crate) fn new(random: Random) -> State {
        State {
            files: BTreeMap::new(),
            live: Arc::default(),
            kept: Arc::default(),
            steps: Vec::new(),
            next_file: 1,
            random,
        }
    }

    /// A disk that a power failure left: these names and files, and nothing unsettled.
    pub(super) fn settled(&self, names: Names, files: BTreeMap<u64, Arc<Content>>) -> State {
        let names = Arc::new(names);
        State {
            files,
            live: Arc::clone(&names),
            kept: names,
            steps: Vec::new(),
            next_file: self.next_file,
            random: self.random.clone(),
        }
    }

    /// What a name stands for now.
    pub(crate) fn node(&self, path: &Path) -> Option<Node> {
        node_of(&self.live, text(path))
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
        self.check_folder(path)?;
        if self.node(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, Arc::default());
        self.step(Step::Add(text(path).into(), Node::File(id)));
        Ok(id)
    }

    /// Makes a folder if there is none.
    pub(crate) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        self.check_folder(path)?;
        match self.node(path) {
            Some(Node::Folder) => {}
            Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            None => self.step(Step::Add(text(path).into(), Node::Folder)),
        }
        Ok(())
    }

    /// A digest of the names in a folder and what they stand for.
    pub(crate) fn stamp(&self, path: &Path) -> Option<u64> {
        let Some(Node::Folder) = self.node(path) else {
            return None;
        };
        Some(self.inside(text(path)).fold(0, |stamp, (name, node)| {
            let file = match node {
                Node::Folder => 0,
                Node::File(id) => *id,
            };
            let stamp = fold(stamp, name.as_bytes());
            fold(stamp, &file.to_le_bytes())
        }))
    }

    /// Removes a folder that holds nothing; whether it is gone.
    pub(crate) fn remove_dir(&mut self, path: &Path) -> io::Result<bool> {
        match self.node(path) {
            Some(Node::Folder) if self.list(path)?.is_empty() => {
                self.step(Step::Remove(text(path).into(), Node::Folder));
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
        self.check_folder(to)?;
        if self.node(to) == Some(Node::Folder) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let (from, to) = (text(from).into(), text(to).into());
        self.step(Step::Move(from, to, Node::File(id)));
        Ok(())
    }

    /// Removes a file's name.
    pub(crate) fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let id = self.find(path)?;
        self.step(Step::Remove(text(path).into(), Node::File(id)));
        Ok(())
    }

    /// The names directly in a folder.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        if self.node(path) != Some(Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = |(name, node): (&Name, &Node)| Entry {
            name: name.rsplit('/').next().unwrap_or_default().to_owned(),
            is_dir: *node == Node::Folder,
        };
        Ok(self.inside(text(path)).map(entry).collect())
    }

    fn inside(&self, folder: &str) -> impl Iterator<Item = (&Name, &Node)> {
        let from = (Bound::Excluded(folder), Bound::Unbounded);
        // Behind a folder's name come those that begin with it, what is in it among them.
        let below = self.live.range::<str, _>(from);
        let below = below.take_while(move |(name, _)| name.starts_with(folder));
        below.filter(move |(name, _)| folder_of(name) == folder)
    }

    /// Settles the steps that put a name into this folder or took one out of it.
    pub(crate) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        if self.node(path) != Some(Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let folder = text(path);
        let wanted = self.steps.iter().map(|step| step.is_in(folder)).collect();
        for (step, chosen) in self.split(wanted) {
            match chosen {
                true => step.apply(Arc::make_mut(&mut self.kept)),
                false => self.steps.push(step),
            }
        }
        Ok(())
    }

    /// A failed sync: each step in this folder is settled now, for good or as lost.
    pub(crate) fn half_sync_dir(&mut self, path: &Path) {
        let folder = text(path);
        let mut random = self.random.clone();
        let wanted = self
            .steps
            .iter()
            .map(|step| step.is_in(folder) && random.percent(50))
            .collect();
        self.random = random;
        for (step, chosen) in self.split(wanted) {
            match chosen {
                true => step.apply(Arc::make_mut(&mut self.kept)),
                false if step.is_in(folder) => {}
                false => self.steps.push(step),
            }
        }
    }

    /// The bytes of a file as every process sees them.
    pub(crate) fn live(&self, id: u64) -> &[u8] {
        self.files.get(&id).map_or(&[], |file| file.live())
    }

    /// Writes into a file.
    pub(crate) fn write(&mut self, id: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.content(id, |file| file.write(offset, bytes));
        Ok(())
    }

    /// A failed write: some of the bytes from the first on are written, at most `len_max`.
    pub(crate) fn half_write(&mut self, id: u64, offset: u64, bytes: &[u8], len_max: usize) {
        let Ok(offset) = usize::try_from(offset) else {
            return;
        };
        let end = offset + self.random.below(bytes.len().min(len_max) + 1);
        // Where the file was longer before, no sector is left half written over.
        let torn = end < offset + bytes.len() && end < self.live(id).len();
        let end = if torn { end / SECTOR * SECTOR } else { end };
        let part = bytes.get(..end.saturating_sub(offset)).unwrap_or_default();
        self.content(id, |file| file.write(offset, part));
    }

    /// Cuts or fills up a file.
    pub(crate) fn set_len(&mut self, id: u64, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.content(id, |file| file.set_len(len));
        Ok(())
    }

    /// Settles all that was done to the bytes of a file.
    pub(crate) fn sync(&mut self, id: u64) {
        self.content(id, Content::sync);
    }

    /// A failed sync: some sectors reach the disk, the others never will, although they read well.
    pub(crate) fn half_sync(&mut self, id: u64) {
        let mut random = self.random.clone();
        self.content(id, |file| {
            let len = file.len_of(Fate::Older(random.next()));
            file.half_sync(len, |_| match random.percent(50) {
                true => Fate::Older(random.next()),
                false => Fate::Lost,
            });
        });
        self.random = random;
    }

    /// Turns a bit of a file, on the medium and in every cache.
    pub(crate) fn flip(&mut self, id: u64, bit: usize) {
        self.content(id, |file| file.flip(bit));
    }

    /// Bytes of all files that have a name.
    pub(crate) fn used(&self) -> u64 {
        let files = self.live.values().filter_map(|node| match node {
            Node::File(id) => self.files.get(id),
            Node::Folder => None,
        });
        files.map(|file| file.live().len() as u64).sum()
    }

    fn content(&mut self, id: u64, change: impl FnOnce(&mut Content)) {
        if let Some(file) = self.files.get_mut(&id) {
            change(Arc::make_mut(file));
        }
    }

    fn check_folder(&self, path: &Path) -> io::Result<()> {
        match node_of(&self.live, folder_of(text(path))) {
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn step(&mut self, step: Step) {
        step.apply(Arc::make_mut(&mut self.live));
        self.steps.push(step);
    }

    /// Takes all steps out, each with whether it is wanted or a wanted one rests on it.
    fn split(&mut self, wanted: Vec<bool>) -> Vec<(Step, bool)> {
        let wanted = with_earlier(&self.steps, wanted);
        core::mem::take(&mut self.steps)
            .into_iter()
            .zip(wanted)
            .collect()
    }
}

/// A path as the name it is kept under. The store's names have no other letters than those of ASCII.
fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// The name of the folder that a name is in; the store's own is empty.
pub(super) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a name stands for.
pub(super) fn node_of(names: &Names, name: &str) -> Option<Node> {
    match name {
        "" => Some(Node::Folder),
        name => names.get(name).copied(),
    }
}

/// Which steps are done if those `wanted` are: none without the earlier ones on its file or names.
pub(super) fn with_earlier(steps: &[Step], mut wanted: Vec<bool>) -> Vec<bool> {
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    let mut files = BTreeSet::new();
    for (step, wanted) in steps.iter().zip(&mut wanted).rev() {
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
    wanted
}

impl Step {
    pub(super) fn apply(&self, names: &mut Names) {
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
    fn is_in(&self, folder: &str) -> bool {
        let (Step::Add(path, _) | Step::Remove(path, _) | Step::Move(_, path, _)) = self;
        folder_of(path) == folder
    }

    fn touches(&self) -> (Vec<&str>, Node) {
        match self {
            Step::Add(path, node) | Step::Remove(path, node) => (vec![path], *node),
            Step::Move(from, to, node) => (vec![from, to], *node),
        }
    }
}
