//! What a power failure can leave of one moment of a disk. Everything unsynced falls into *fragments*:
//! a step on a name, the length of a file, a sector. Each has a fate of its own, and a list of fates
//! is one *image*, which has a number, so that the same image can be made again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::disk::sim::SimDisk;
use crate::disk::sim::content::Content;
use crate::disk::sim::content::Fate;
use crate::disk::sim::content::SECTOR;
use crate::disk::sim::random::Random;
use crate::disk::sim::random::fold;
use crate::disk::sim::state::Name;
use crate::disk::sim::state::Names;
use crate::disk::sim::state::Node;
use crate::disk::sim::state::State;
use crate::disk::sim::state::Step;
use crate::disk::sim::state::folder_of;
use crate::disk::sim::state::node_of;
use crate::disk::sim::state::with_earlier;

/// A disk as it was after one of its changes.
#[derive(Clone)]
pub(crate) struct Moment {
    pub(super) state: State,
    pub(super) boot: u64,
    /// A file whose bytes do not tell one image from another, because nobody looks at them after a
    /// boot. What is left of it is chance.
    pub(super) scratch: Option<u64>,
    /// How many changes there had been.
    pub(crate) changes: u64,
}

/// Something unsynced that a power failure may take on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fragment {
    /// A step on names.
    Name { at: usize, is: Named },
    /// The length of a file.
    Length(u64),
    /// A sector of a file, given to it since the last sync or there before.
    Sector { file: u64, at: usize, is_new: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Added,
    Removed,
    Moved,
}

/// All images of one moment that are to be tried: the named nasty ones first, then every subset of
/// the fragments if they are few, else samples.
pub(crate) struct Images<'m> {
    moment: &'m Moment,
    fragments: Vec<Fragment>,
    seed: u64,
    /// As many as there are ways to lose, keep and garble each fragment, if they are all tried.
    whole: Option<u64>,
    /// As many as there are subsets, if they are all tried.
    subsets: u64,
    samples: u64,
}

/// One of them: a disk, and a number that tells its state from others.
pub(crate) struct Image {
    pub(crate) hash: u64,
    pub(crate) disk: SimDisk,
}

/// In the place of a file's number, which begin at 1.
const NO_FILE: u64 = 0;

/// What every file system that was ever studied has done to somebody.
const NASTY: [&str; 13] = [
    "nothing arrived",
    "all arrived",
    "only the last arrived",
    "all but the first arrived",
    "all but the last arrived",
    "zero tail",
    "garbage tail",
    "length without data",
    "garbage under every new length",
    "names without data",
    "data without names",
    "renames without data",
    "removals undone",
];

impl Moment {
    /// The disk after its processes were killed here, the machine running on.
    pub(crate) fn killed(&self) -> SimDisk {
        SimDisk::with(self.state.clone(), self.boot)
    }

    /// What one power failure leaves, as this seed decides: nothing unsynced, all of it, and the
    /// mixtures in between.
    pub(super) fn survivor(&self, seed: u64) -> SimDisk {
        let mut random = Random::new(seed);
        let percent = random.below(5) * 25;
        let fragments = self.fragments();
        let fates: Vec<Fate> = fragments
            .iter()
            .map(|_| match random.percent(percent) {
                true if percent < 100 && random.percent(15) => Fate::Older(random.next()),
                true => Fate::Kept,
                false => Fate::Lost,
            })
            .collect();
        self.image(&fragments, &fates, random).disk
    }

    /// The images to try here: all of them where they are no more than `max`, else `max` samples.
    pub(crate) fn images(&self, max: u64, seed: u64) -> Images<'_> {
        let fragments = self.fragments();
        let ways = fragments.iter().map(|fragment| fragment.ways());
        let whole = ways.fold(1_u64, u64::saturating_mul);
        let subsets = 1_u64
            .checked_shl(fragments.len() as u32)
            .unwrap_or(u64::MAX);
        Images {
            moment: self,
            seed: fold(seed, &self.changes.to_le_bytes()),
            whole: (whole <= max).then_some(whole),
            subsets: if subsets <= max { subsets } else { 0 },
            samples: max,
            fragments,
        }
    }

    /// Everything that is not settled, in an order that never changes.
    fn fragments(&self) -> Vec<Fragment> {
        let mut fragments = Vec::new();
        let mut files = BTreeSet::new();
        let file = |node: &Node| match node {
            Node::File(id) => Some(*id),
            Node::Folder => None,
        };
        files.extend(self.state.kept.values().filter_map(file));
        for (at, step) in self.state.steps.iter().enumerate() {
            let (is, node) = match step {
                Step::Add(_, node) => (Named::Added, node),
                Step::Remove(_, node) => (Named::Removed, node),
                Step::Move(_, _, node) => (Named::Moved, node),
            };
            fragments.push(Fragment::Name { at, is });
            files.extend(file(node));
        }
        for id in files.into_iter().filter(|id| Some(*id) != self.scratch) {
            let Some(content) = self.state.files.get(&id) else {
                continue;
            };
            if content.has_lengths() {
                fragments.push(Fragment::Length(id));
            }
            fragments.extend(content.unsettled().map(|at| Fragment::Sector {
                file: id,
                at,
                is_new: content.is_new(at),
            }));
        }
        fragments
    }

    /// The disk that these fates of its fragments leave.
    fn image(&self, fragments: &[Fragment], fates: &[Fate], mut random: Random) -> Image {
        let of = |file| {
            let start = fragments.partition_point(|fragment| fragment.file() < file);
            let end = fragments.partition_point(|fragment| fragment.file() <= file);
            fates.get(start..end).unwrap_or_default().iter().copied()
        };
        let names = self.names(of(NO_FILE).map(|fate| fate != Fate::Lost).collect());
        let (mut hash, mut files) = (0_u64, BTreeMap::new());
        for (path, node) in &names {
            let mut of_file = 0;
            if let Node::File(id) = node
                && let Some(content) = self.state.files.get(id)
            {
                let is_scratch = Some(*id) == self.scratch;
                let left = match content.is_settled() {
                    true => Arc::clone(content),
                    false if is_scratch => self.scratched(content, &mut random),
                    false => {
                        let mut fates = of(*id);
                        let len = content.has_lengths().then(|| fates.next()).flatten();
                        let len = content.len_of(len.unwrap_or(Fate::Kept));
                        let of = |_| fates.next().unwrap_or(Fate::Kept);
                        let bytes = content.survivor(len, of, |seed| self.garbage(seed));
                        Arc::new(Content::settled(bytes))
                    }
                };
                of_file = if is_scratch { 1 } else { left.hash() | 1 };
                files.insert(*id, left);
            }
            hash = hash.wrapping_add(fold(of_file, path.as_bytes()));
        }
        let mut state = self.state.settled(names, files);
        state.random = random;
        let disk = SimDisk::with(state, self.boot + 1);
        Image { hash, disk }
    }

    /// The names after a failure that leaves the wanted steps, without those whose folder is gone.
    fn names(&self, wanted: Vec<bool>) -> Names {
        let mut names = Names::clone(&self.state.kept);
        let done = with_earlier(&self.state.steps, wanted);
        for (step, _) in self.state.steps.iter().zip(done).filter(|(_, done)| *done) {
            step.apply(&mut names);
        }
        // Each round takes what was directly in a folder that is gone; mostly there is none.
        let is_lost = |names: &Names, name: &Name| {
            let folder = folder_of(name);
            node_of(names, folder) != Some(Node::Folder)
        };
        while names.keys().any(|name| is_lost(&names, name)) {
            let before = names.clone();
            names.retain(|name, _| !is_lost(&before, name));
        }
        names
    }

    /// What is left of the file that does not count.
    fn scratched(&self, content: &Content, random: &mut Random) -> Arc<Content> {
        let len = content.len_of(Fate::Older(random.next()));
        let of = |_| match random.below(128) {
            0..32 => Fate::Lost,
            32..64 => Fate::Older(random.next()),
            64..127 => Fate::Kept,
            _ => Fate::Garbage(random.next()),
        };
        Arc::new(Content::settled(
            content.survivor(len, of, |seed| self.garbage(seed)),
        ))
    }

    /// What may be in a place that was never written: noise, or what some file has or had there.
    fn garbage(&self, seed: u64) -> Vec<u8> {
        let mut random = Random::new(seed);
        let all: Vec<_> = self.state.files.values().collect();
        let other = all
            .get(random.below(all.len()))
            .map_or(&[][..], |file| file.live());
        let start = random.below(other.len() / SECTOR + 1) * SECTOR;
        match other.get(start..start + SECTOR) {
            Some(piece) if random.percent(50) => piece.to_vec(),
            _ => (0..SECTOR / 8)
                .flat_map(|_| random.next().to_le_bytes())
                .collect(),
        }
    }
}

impl Fragment {
    /// The file that it is of, by which fragments are in order; steps on names come first.
    const fn file(self) -> u64 {
        match self {
            Fragment::Name { .. } => NO_FILE,
            Fragment::Length(file) | Fragment::Sector { file, .. } => file,
        }
    }

    /// How many fates are worth a try of their own.
    const fn ways(self) -> u64 {
        match self {
            Fragment::Sector { is_new: true, .. } => 3,
            _ => 2,
        }
    }
}

impl Images<'_> {
    /// How many there are; some of them may be equal.
    pub(crate) fn count(&self) -> u64 {
        let others = match self.whole {
            Some(whole) => whole,
            None => self.subsets + self.samples,
        };
        NASTY.len() as u64 + others
    }

    /// Whether every subset of what is unsynced is among them.
    pub(crate) fn is_exhaustive(&self) -> bool {
        self.whole.is_some() || self.subsets > 0
    }

    /// The image of this number.
    pub(crate) fn image(&self, number: u64) -> Image {
        let seed = fold(self.seed, &number.to_le_bytes());
        let mut random = Random::new(seed);
        let fates = self.fates(number, &mut random);
        self.moment.image(&self.fragments, &fates, random)
    }

    /// What kind of image has this number.
    pub(crate) fn story(&self, number: u64) -> String {
        let named = usize::try_from(number).ok().and_then(|at| NASTY.get(at));
        let all = NASTY.len() as u64 + self.whole.unwrap_or(self.subsets);
        let kind = match named {
            Some(name) => name,
            None if number < all => "one of all",
            None => "a sample",
        };
        format!(
            "image {number} ({kind}) of {} fragments",
            self.fragments.len()
        )
    }

    fn fates(&self, number: u64, random: &mut Random) -> Vec<Fate> {
        let nasty = NASTY.len() as u64;
        if number < nasty {
            let all = self.fragments.iter().enumerate();
            return all.map(|(at, _)| self.nasty(number, at, random)).collect();
        }
        let mut number = number - nasty;
        let is_whole = self.whole.is_some();
        if !is_whole && number >= self.subsets {
            return self.sample(random);
        }
        let fate = |fragment: &Fragment| {
            let ways = if is_whole { fragment.ways() } else { 2 };
            let way = number % ways;
            number /= ways;
            match way {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => Fate::Garbage(random.next()),
            }
        };
        self.fragments.iter().map(fate).collect()
    }

    fn sample(&self, random: &mut Random) -> Vec<Fate> {
        // From nearly nothing to nearly all, and in every tenth hardly a sector but garbage.
        let percent = [4, 20, 50, 80, 96]
            .get(random.below(5))
            .copied()
            .unwrap_or(50);
        let garbage = if random.percent(10) { 60 } else { 6 };
        let fate = |fragment: &Fragment| {
            let is_new = matches!(fragment, Fragment::Sector { is_new: true, .. });
            match random.percent(percent) {
                true if random.percent(15) => Fate::Older(random.next()),
                true => Fate::Kept,
                false if is_new && random.percent(garbage) => Fate::Garbage(random.next()),
                false => Fate::Lost,
            }
        };
        self.fragments.iter().map(fate).collect()
    }

    /// The fate of a fragment in the nasty image of this number.
    fn nasty(&self, number: u64, at: usize, random: &mut Random) -> Fate {
        let Some(fragment) = self.fragments.get(at) else {
            return Fate::Lost;
        };
        let last = at + 1 == self.fragments.len();
        let is_tail = last || self.is_tail(at);
        let (is_name, is_sector, is_new) = match fragment {
            Fragment::Name { .. } => (true, false, false),
            Fragment::Length(_) => (false, false, false),
            Fragment::Sector { is_new, .. } => (false, true, *is_new),
        };
        let is_named = |wanted| matches!(fragment, Fragment::Name { is, .. } if *is == wanted);
        let arrives = match number {
            0 => false,
            1 => true,
            2 => last,
            3 => at > 0,
            4 => !last,
            5 => !is_tail,
            6 if is_sector && is_tail && is_new => return Fate::Garbage(random.next()),
            8 if is_sector && is_new => return Fate::Garbage(random.next()),
            6 | 8 => true,
            7 => !is_sector,
            9 => is_name,
            10 => !is_name,
            11 => is_named(Named::Moved),
            _ => !is_named(Named::Removed),
        };
        if arrives { Fate::Kept } else { Fate::Lost }
    }

    /// Whether a fragment is in the later half of the sectors of its file.
    fn is_tail(&self, at: usize) -> bool {
        let of = |fragment: &Fragment| match fragment {
            Fragment::Sector { file, .. } => Some(*file),
            _ => None,
        };
        let Some(file) = self.fragments.get(at).and_then(of) else {
            return false;
        };
        let mut places = (0..self.fragments.len())
            .filter(|at| self.fragments.get(*at).and_then(of) == Some(file));
        let count = places.clone().count();
        places
            .position(|place| place == at)
            .is_some_and(|place| place >= count / 2)
    }
}
