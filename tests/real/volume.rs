//! A file system of its own on a loop device, whose power can be cut: the shutdown call of ext4 and XFS
//! drops what was in memory, also the journal that was not written, and refuses everything until it
//! is mounted again. A boot that follows has another name, which the store asks for, so the name is
//! covered by a file of the rig in a mount namespace of its own.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::system;
use crate::system::word;

/// What a file system is made and mounted as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) file_system: &'static str,
    pub(crate) options: &'static str,
}

/// Those that power is cut on.
pub(crate) const KINDS: [Kind; 5] = [
    Kind::new("ext4", "defaults"),
    Kind::new("ext4", "data=writeback"),
    Kind::new("ext4", "nodelalloc"),
    Kind::new("ext4", "commit=1,data=writeback,nodelalloc"),
    Kind::new("xfs", "defaults"),
];

/// What is lost with the power.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Everything that no sync has written.
    All,
    /// Data only: the journal is written first, so names and lengths come without what they held.
    Data,
}

impl Kind {
    pub(crate) const fn new(file_system: &'static str, options: &'static str) -> Kind {
        Kind {
            file_system,
            options,
        }
    }

    /// The smallest image that the file system's program accepts.
    const fn mebibytes(self) -> u64 {
        match self.file_system.as_bytes() {
            b"xfs" => 300,
            _ => 64,
        }
    }
}

/// A mounted file system, which goes away with this value.
pub(crate) struct Volume {
    kind: Kind,
    device: String,
    owns_device: bool,
    pub(crate) mount: PathBuf,
    is_mounted: bool,
}

impl Volume {
    /// Makes an image, a file system in it, and mounts it.
    pub(crate) fn make(kind: Kind, folder: &Path) -> Result<Volume, String> {
        let image = folder.join("image");
        make_image(kind, &image)?;
        let device = system::run("losetup", &["--find", "--show", word(&image)])?;
        let mut volume = Volume::on(kind, device, folder)?;
        volume.owns_device = true;
        volume.mounted()
    }

    /// Mounts a device of somebody else.
    pub(crate) fn of(kind: Kind, device: &str, folder: &Path) -> Result<Volume, String> {
        Volume::on(kind, device.to_owned(), folder)?.mounted()
    }

    fn on(kind: Kind, device: String, folder: &Path) -> Result<Volume, String> {
        let mount = folder.join("mount");
        fs::create_dir_all(&mount).map_err(|error| format!("{}: {error}", mount.display()))?;
        Ok(Volume {
            kind,
            device,
            owns_device: false,
            mount,
            is_mounted: false,
        })
    }

    fn mounted(mut self) -> Result<Volume, String> {
        self.mount()?;
        Ok(self)
    }

    pub(crate) fn mount(&mut self) -> Result<(), String> {
        let Kind {
            file_system,
            options,
        } = self.kind;
        let mount = word(&self.mount);
        system::run(
            "mount",
            &["-t", file_system, "-o", options, &self.device, mount],
        )?;
        self.is_mounted = true;
        Ok(())
    }

    /// Cuts the power under whoever is at work.
    pub(crate) fn cut(&self, cut: Cut) -> Result<(), String> {
        let words = match cut {
            Cut::All => "shutdown",
            Cut::Data => "shutdown -f",
        };
        system::run("xfs_io", &["-x", "-c", words, word(&self.mount)]).map(drop)
    }

    /// Nobody may be at work on it any more, but a process that was killed takes a moment to be gone.
    pub(crate) fn unmount(&mut self) -> Result<(), String> {
        let mut tries = 0;
        while let Err(what) = system::run("umount", &[word(&self.mount)]) {
            tries += 1;
            if tries == 100 {
                return Err(what);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.is_mounted = false;
        Ok(())
    }

    /// What follows a cut: the machine comes up again, under another name of its boot.
    pub(crate) fn boot(&mut self, boot: &Boot) -> Result<(), String> {
        self.unmount()?;
        boot.again()?;
        self.mount()
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.is_mounted {
            self.unmount().ok();
        }
        if self.owns_device {
            system::run("losetup", &["--detach", &self.device]).ok();
        }
    }
}

/// Makes an image with an empty file system.
pub(crate) fn make_image(kind: Kind, image: &Path) -> Result<(), String> {
    fs::remove_file(image).ok();
    let made = fs::File::create(image).and_then(|file| file.set_len(kind.mebibytes() << 20));
    made.map_err(|error| format!("{}: {error}", image.display()))?;
    let program = format!("mkfs.{}", kind.file_system);
    // Without the blocks that ext4 keeps for root, who is at work here: full is full.
    let words: &[&str] = match kind.file_system {
        "ext4" => &["-q", "-m", "0", word(image)],
        _ => &["-q", word(image)],
    };
    system::run(&program, words).map(drop)
}

/// The name of the machine's boot, as this process and its children see it.
pub(crate) struct Boot {
    name: PathBuf,
}

const NAMESPACE: &str = "AUDITDB_REAL_NAMESPACE";
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

impl Boot {
    /// Takes the name over, in the mount namespace that [`enter_namespace`] made.
    pub(crate) fn take_over(folder: &Path) -> Result<Boot, String> {
        let boot = Boot {
            name: folder.join("boot_id"),
        };
        boot.again()?;
        system::run("mount", &["--bind", word(&boot.name), BOOT])?;
        Ok(boot)
    }

    /// From now on the machine has booted once more.
    pub(crate) fn again(&self) -> Result<(), String> {
        let named =
            fs::read("/proc/sys/kernel/random/uuid").and_then(|name| fs::write(&self.name, name));
        named.map_err(|error| format!("{}: {error}", self.name.display()))
    }
}

impl Drop for Boot {
    fn drop(&mut self) {
        system::run("umount", &[BOOT]).ok();
    }
}

/// Begins this program again where its mounts are nobody else's; `None` if that has been done.
pub(crate) fn enter_namespace() -> Option<Command> {
    if std::env::var_os(NAMESPACE).is_some() {
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    command
        .args(std::env::current_exe().ok())
        .args(std::env::args_os().skip(1));
    command.env(NAMESPACE, "1");
    Some(command)
}
