"""A file system on a loop device whose power can be cut in an instant.

The cut is ext4's own `FS_IOC_SHUTDOWN` with the flag that throws away the journal's
unwritten tail: from then on every write fails, and what was not yet forced to the
device is gone after the next mount. That is what a power failure does, and what
killing a process does not: the page cache outlives a process.

Source: fs/ext4/ioctl.c, `EXT4_IOC_SHUTDOWN` and `EXT4_GOING_FLAGS_NOLOGFLUSH`.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str | None:
    """Why no such disk can be made here, in words; None where it can."""
    if os.geteuid() != 0:
        return "a loop device and mount need root"
    for tool in ("losetup", "mkfs.ext4"):
        if shutil.which(tool, path=_PATH) is None:
            return f"{tool} is not installed (Debian: util-linux, e2fsprogs)"
    tried = _run("losetup", "--find", check=False)
    if tried.returncode != 0:
        return f"no loop device can be had: {tried.stderr.strip()}"
    return None


class Disk:
    """A small ext4 file system, mounted at `root` while the `with` block runs."""

    def __init__(self, folder: Path, *, megabytes: int = 64) -> None:
        self.root = folder / "disk"
        self._image = folder / "disk.img"
        self._megabytes = megabytes
        self._device = ""
        self._mounted = False

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(self._megabytes * 1024 * 1024)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self._image))
        self._device = _run("losetup", "--find", "--show", str(self._image)).stdout.strip()
        try:
            self.mount()
        except BaseException:
            _run("losetup", "--detach", self._device, check=False)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._mounted:
            self.unmount(lazily=True)
        _run("losetup", "--detach", self._device, check=False)
        self._image.unlink(missing_ok=True)

    def mount(self) -> None:
        """Mount it; the file system replays its journal, as after any power cut."""
        # noatime only keeps the rig quick; the barriers that durability rests on stay.
        ms_noatime = 1024
        _checked(
            _libc.mount(self._device.encode(), bytes(self.root), b"ext4", ms_noatime, None),
            "mount",
        )
        self._mounted = True

    def cut(self) -> None:
        """Cut the power: at once every write fails, and what was not flushed is lost."""
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, NO_LOG_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(folder)

    def unmount(self, *, lazily: bool = False) -> None:
        """Take it away. A file that is still open is a fault of the test, unless `lazily`."""
        mnt_detach = 2
        deadline = time.monotonic() + 20
        while True:
            try:
                _checked(_libc.umount2(bytes(self.root), mnt_detach if lazily else 0), "umount")
            except OSError as error:
                # A file closed a moment ago may hold the mount for a tick.
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.002)
            else:
                self._mounted = False
                break
        # A process that began meanwhile in a mount namespace of its own has a copy of this
        # mount. Until that is gone a new mount would find the file system shut down as it is.
        alive = Path("/sys/fs/ext4") / Path(self._device).name
        while not lazily and alive.exists():
            if time.monotonic() > deadline:
                raise OSError(errno.EBUSY, "another mount namespace holds the disk")
            time.sleep(0.002)

    def restart(self) -> None:
        """Unmount and mount again: the machine starts after the cut."""
        self.unmount()
        self.mount()


class SmallDisk:
    """A tmpfs with a size limit, mounted at `root` while the `with` block runs."""

    def __init__(self, folder: Path, *, kilobytes: int) -> None:
        self.root = folder / "small"
        self._kilobytes = kilobytes

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True)
        options = f"size={self._kilobytes}k".encode()
        _checked(_libc.mount(b"tmpfs", bytes(self.root), b"tmpfs", 0, options), "mount")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        mnt_detach = 2
        with contextlib.suppress(OSError):
            _checked(_libc.umount2(bytes(self.root), mnt_detach), "umount")

    def resize(self, kilobytes: int) -> None:
        """Make it larger or smaller while it is in use."""
        ms_remount = 32
        options = f"size={kilobytes}k".encode()
        _checked(_libc.mount(b"tmpfs", bytes(self.root), b"tmpfs", ms_remount, options), "remount")


_PATH = os.pathsep.join(["/usr/sbin", "/sbin", os.environ.get("PATH", os.defpath)])


def _run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": _PATH, "LC_ALL": "C"}
    return subprocess.run(command, check=check, capture_output=True, text=True, env=environment)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
