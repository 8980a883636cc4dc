//! `pushprom storage`, from outside; and a store that an earlier release wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{BINARY, Client, Server, read, repository};

/// A store of this version of the format, with the page and the export that it leads to.
const FIXTURE: &str = "tests/storage";

/// One delta of each sort.
const DELTAS: &str = r#"[
    {"type":"counter","name":"c_total","help":"h","method":"add","value":2.5,"labels":{"a":"b"}},
    {"type":"counter","name":"zero_total","method":"declare"},
    {"type":"counter","name":"e_total","method":"inc","exemplar":{"labels":{"trace_id":"y"},"timestamp":9}},
    {"type":"gauge","name":"g","method":"set","value":-1.1,"labels":{"city":"Zürich \"\\"}},
    {"type":"histogram","name":"h","method":"observe","value":0.3,"exemplar":{"labels":{"trace_id":"x"}}},
    {"type":"histogram","name":"n","method":"observe","value":7.1,"native":{}},
    {"type":"summary","name":"s","method":"observe","value":4,"objectives":{"0.5":0.05}}
]"#;

/// A directory for stores.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn server(&self, name: &str) -> Server {
        let path = format!("-storage.path={}", self.path(name).display());
        let flags =
            [&*path, "-storage.ack=commit", "-openmetrics.created", "-web.enable-admin-api"];
        Server::start(&flags)
    }

    /// A store in which so many batches of deltas have been, one by one.
    fn written(&self, name: &str, batches: u64) {
        let mut server = self.server(name);
        server.push_ok(DELTAS);
        for batch in 0..batches {
            let delta = r#"{"type":"counter","name":"b_total","method":"inc","labels":{"n":"N"}}"#;
            server.push_ok(delta.replace('N', &(batch % 10).to_string()));
        }
        server.signal("TERM");
        assert!(server.wait().success());
    }

    /// The page of a server that starts with a store.
    fn page(&self, name: &str) -> String {
        let server = self.server(name);
        let accept = [("Accept", "application/openmetrics-text; version=1.0.0")];
        let mut client = Client::connect(server.http);
        let page = client.request("GET", "/metrics", &accept, None).expect("an answer").text();
        let is_own = |line: &&str| {
            ["pushprom_", "process_", "request"].iter().any(|word| line.contains(word))
        };
        page.split_inclusive('\n').filter(|line| !is_own(line)).collect()
    }

    fn run(&self, task: &str, name: &str, input: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(BINARY);
        command.args(["storage", task]).arg(self.path(name));
        outcome(command, input)
    }

    /// Runs the command where the directory is in a file system that can only be read.
    fn run_on_snapshot(&self, task: &str, name: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new("unshare");
        let script = r#"mount --bind "$3" "$3" && mount -o remount,bind,ro "$3" && exec "$1" storage "$2" "$3""#;
        command.args(["-m", "sh", "-c", script, "sh", BINARY, task]).arg(self.path(name));
        outcome(command, "")
    }
    #[track_caller]
    fn succeeds(&self, task: &str, name: &str, input: &str, expected: &str) -> String {
        let (code, stdout, stderr) = self.run(task, name, input);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        assert!(stdout.contains(expected), "{stdout}");
        stdout
    }

    #[track_caller]
    fn fails(&self, task: &str, name: &str, input: &str, expected: &str) {
        let (code, stdout, stderr) = self.run(task, name, input);
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }

    /// The files of a store but for its lock.
    fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.path(name)).expect("the directory is there");
        let files = entries.map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("it can be read"))
        });
        files.filter(|(name, _)| name != "lock").collect()
    }

    /// The one file of a store.
    #[track_caller]
    fn file(&self, name: &str) -> (PathBuf, Vec<u8>) {
        let files = self.files(name);
        assert_eq!(files.len(), 1, "{:?}", files.keys());
        let (file, bytes) = files.into_iter().next().expect("there is one");
        (self.path(name).join(file), bytes)
    }
}

/// Runs a command; returns its exit code and what it wrote to standard output and error.
fn outcome(mut command: Command, input: &str) -> (Option<i32>, String, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // One that ends early does not read it.
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).ok();
    let output = child.wait_with_output().expect("it ends");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("it is UTF-8"));
    (output.status.code(), stdout, stderr)
}

#[test]
fn a_store_is_checked() {
    let place = Place::new();
    place.fails("check", "none", "", "none has no store: give the directory of -storage.path");
    place.fails("check", "", "", " has no store: give the directory of -storage.path");
    fs::create_dir(place.path("foreign")).expect("it can be made");
    for task in ["check", "repair", "export", "compact"] {
        place.fails(task, "foreign", "", "foreign has no store: give the directory of");
        assert_eq!(fs::read_dir(place.path("foreign")).expect("it is there").count(), 0, "{task}");
    }
    place.written("store", 20);
    let before = place.files("store");
    let checked = place.succeeds("check", "store", "", "ok: 8 families, 17 series, ");
    assert!(checked.contains(" 0 bytes unfinished, closed\n"), "{checked}");
    assert_eq!(place.files("store"), before);
    let server = place.server("store");
    for task in ["check", "repair", "export", "import", "compact"] {
        place.fails(task, "store", "", "store is in use by another pushprom: end that one");
    }
    drop(server);
    place.succeeds("check", "store", "", "not closed");
}

#[test]
fn a_snapshot_can_be_read() {
    let place = Place::new();
    place.written("store", 3);
    let exported = place.succeeds("export", "store", "", "");
    let lock = place.path("store").join("lock");
    for is_locked in [true, false] {
        let (code, checked, told) = place.run_on_snapshot("check", "store");
        assert_eq!((code, &*told), (Some(0), ""), "{is_locked}");
        assert!(checked.starts_with("ok: 8 families, 10 series, "), "{checked}");
        let exported_there = place.run_on_snapshot("export", "store");
        assert_eq!(exported_there, (Some(0), exported.clone(), String::new()), "{is_locked}");
        let (code, _, told) = place.run_on_snapshot("compact", "store");
        let want =
            "store: Read-only file system (os error 30): mount it for writing, or choose another";
        assert!(code == Some(1) && told.contains(want), "{told}");
        assert_eq!(lock.exists(), is_locked);
        fs::remove_file(&lock).ok();
    }
    place.succeeds("check", "store", "", "ok: 8 families, 10 series, ");
    assert!(!lock.exists());
}

#[test]
fn an_export_can_be_imported() {
    let place = Place::new();
    place.written("store", 20);
    let exported = place.succeeds("export", "store", "", "");
    place.succeeds("import", "other", &exported, "imported 8 families, 17 series");
    assert_eq!(place.succeeds("export", "other", "", ""), exported);
    assert_eq!(place.page("other"), place.page("store"));
    place.fails("import", "other", &exported, "other has a store: import into another directory");
    let cases = [
        ("no JSON\n", "line 1 cannot be imported: expected"),
        ("{\"other\":{}}\n", "line 1 cannot be imported: unknown variant `other`"),
        ("{\"series_gone\":{\"id\":7}}\n", "line 1 cannot be imported: a record is about series 7"),
    ];
    for (lines, expected) in cases {
        place.fails("import", "new", lines, expected);
        assert_eq!(place.files("new"), BTreeMap::new());
    }
    let endless = "x".repeat((64 << 20) + 2);
    let expected = "line 1 cannot be imported: it is longer than the 67108864 bytes of a line";
    place.fails("import", "new", &endless, expected);
    let line =
        1 + exported.lines().position(|line| line.contains("\"name\":\"b_total\"")).expect("it");
    let reserved = exported.replace("\"b_total\"", "\"pushprom_build_info\"");
    let refused = format!("line {line} cannot be imported: \"pushprom_build_info\" is reserved");
    place.fails("import", "new", &reserved, &refused);
    let collides = exported.replace("\"b_total\"", "\"h_count\"");
    place.fails("import", "new", &collides, "\"h\" cannot be beside \"h_count\": their samples");
    assert_eq!(place.files("new"), BTreeMap::new());
    let twice = exported.replace("\"n\",\"value\":\"1\"", "\"n\",\"value\":\"0\"");
    place.fails(
        "import",
        "new",
        &twice,
        "has two series with the same labels; nothing has been written",
    );
    place.succeeds("import", "new", &exported, "imported 8 families, 17 series");
    // What is left of an import that was killed is no store for any task.
    let half = place.path("half");
    fs::create_dir(&half).expect("it can be made");
    fs::copy(place.file("new").0, half.join("0000000001.new")).expect("it can be copied");
    for task in ["check", "repair", "export", "compact"] {
        place.fails(task, "half", "", "half has no store: give the directory of -storage.path");
    }
    place.succeeds("import", "half", &exported, "imported 8 families, 17 series");
    assert_eq!(place.succeeds("export", "half", "", ""), exported);
    place.file("half");
}

#[test]
fn a_store_is_compacted() {
    let place = Place::new();
    place.written("store", 200);
    let (before, exported) = (place.page("store"), place.succeeds("export", "store", "", ""));
    let long = place.file("store").1.len();
    place.succeeds("compact", "store", "", "compacted ");
    let short = place.file("store").1.len();
    assert!(short * 3 < long, "{short} bytes of {long}");
    assert_eq!(place.succeeds("export", "store", "", ""), exported);
    assert_eq!(place.page("store"), before);
}

/// Root leaves nothing that the user of the service cannot have, and touches nothing elsewhere.
#[test]
fn what_is_made_belongs_to_whom_the_directory_does() {
    let place = Place::new();
    let user = 65534;
    let give = |path: &Path| chown(path, Some(user), Some(user)).expect("the tests run as root");
    let owners = |name: &str| -> BTreeSet<(u32, u32)> {
        let entries = fs::read_dir(place.path(name)).expect("it is there");
        let paths = entries.map(|entry| entry.expect("an entry").path()).chain([place.path(name)]);
        let owner = |path: PathBuf| {
            let of = fs::symlink_metadata(path).expect("it is there");
            (of.uid(), of.gid())
        };
        paths.map(owner).collect()
    };
    let users = BTreeSet::from([(user, user)]);
    place.written("store", 3);
    let exported = place.succeeds("export", "store", "", "");
    give(&place.path("store"));
    fs::remove_file(place.path("store").join("lock")).expect("it is there");
    let elsewhere = place.path("elsewhere");
    fs::write(&elsewhere, "something else").expect("it can be written");
    symlink(&elsewhere, place.path("store").join("0000000002.new")).expect("it can be made");
    place.succeeds("compact", "store", "", "compacted ");
    assert_eq!(owners("store"), users);
    assert_eq!(fs::read(&elsewhere).expect("it is there"), b"something else");
    assert_eq!(fs::metadata(&elsewhere).expect("it is there").uid(), 0);
    give(&place.path(""));
    place.succeeds("import", "new", &exported, "imported ");
    assert_eq!(owners("new"), users);
}

#[test]
fn what_can_be_read_of_a_damaged_store_is_saved() {
    let place = Place::new();
    place.written("store", 30);
    place.succeeds("repair", "store", "", "ok: nothing is damaged");
    let (file, mut bytes) = place.file("store");
    // Behind the births of all series.
    let place_of_damage = bytes.len() / 4 * 3;
    bytes[place_of_damage] ^= 1;
    fs::write(&file, &bytes).expect("it can be written");
    for task in ["check", "export", "compact"] {
        let expected = "is damaged at byte ";
        place.fails(task, "store", "", expected);
    }
    let flag = format!("-storage.path={}", place.path("store").display());
    let listen = ["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"];
    let output = Command::new(BINARY).arg(flag).args(listen).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("it has been left as it is, see pushprom storage repair"), "{told}");
    assert_eq!(place.file("store"), (file.clone(), bytes.clone()));

    let told = place.succeeds("repair", "store", "", "saved: 8 families, 17 series\n");
    assert!(told.contains(" bytes at byte "), "{told}");
    assert!(told.contains("lost: 0 records that cannot be followed, 0 series"), "{told}");
    let kept = file.with_extension("damaged");
    assert!(told.contains(&format!("kept: {}\n", kept.display())), "{told}");
    assert_eq!(fs::read(kept).expect("it is kept"), bytes);
    place.succeeds("check", "store", "", "ok: 8 families, 17 series");
    // Each state is whole: what was lost with one of a series, a later one has.
    let page = place.page("store");
    for series in 0..10 {
        assert!(page.contains(&format!("b_total{{n=\"{series}\"}} 3\n")), "{page}");
    }
}

#[test]
fn what_cannot_be_saved_is_left_as_it_is() {
    let place = Place::new();
    place.written("store", 1);
    let (file, bytes) = place.file("store");
    // Without its header it can be read from the first frame on.
    let headless = [&[0; 20], &bytes[20..]].concat();
    fs::write(&file, headless).expect("it can be written");
    place.succeeds("repair", "store", "", "lost: 20 bytes at byte 0 of ");
    place.succeeds("check", "store", "", "ok: 8 families, 8 series");
    place.written("other", 1);
    let (file, _) = place.file("other");
    fs::write(&file, "something else").expect("it can be written");
    place.fails("repair", "other", "", "can be read: it has been left as it is");
    assert_eq!(place.file("other"), (file, b"something else".to_vec()));
}

/// A log that could not be removed when the next one took its place.
#[test]
fn an_older_log_is_saved_where_nothing_can_be_read_of_the_newest() {
    let place = Place::new();
    place.written("store", 1);
    let exported = place.succeeds("export", "store", "", "");
    let (older, bytes) = place.file("store");
    let newer = place.path("store").join("0000000002.log");
    fs::write(&newer, "something else").expect("it can be written");
    place.fails("check", "store", "", "0000000002.log is damaged at byte 0");
    let told = place.succeeds("repair", "store", "", "saved: 8 families, 8 series\n");
    let [newer, older] = [newer, older].map(|path| path.display().to_string());
    let lost = format!("lost: all of {newer}, and so what changed after the end of {older}\n");
    assert!(told.starts_with(&lost), "{told}");
    assert_eq!(place.succeeds("export", "store", "", ""), exported);
    let files = place.files("store");
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["0000000001.damaged", "0000000002.damaged", "0000000003.closed"]);
    assert_eq!(files["0000000001.damaged"], bytes);
}

/// Files of the last release stay readable. With `GOLDEN=1` in the environment the fixture is made anew, which is
/// for a new version of the format alone, beside the old one.
#[test]
fn a_store_of_this_version_stays_readable() {
    let place = Place::new();
    let fixture = repository(FIXTURE);
    let golden = |name: &str, text: &str| {
        if std::env::var_os("GOLDEN").is_some() {
            fs::write(fixture.join(name), text).expect("it can be written");
        }
        assert_eq!(read(&format!("{FIXTURE}/{name}")), text, "{name}");
    };
    if std::env::var_os("GOLDEN").is_some() {
        place.written("new", 3);
        place.succeeds("compact", "new", "", "");
        place.written("new", 7);
        let (file, bytes) = place.file("new");
        fs::create_dir_all(&fixture).expect("it can be made");
        fs::write(fixture.join("v1.closed"), bytes).expect("it can be written");
        assert_eq!(file.file_name(), Some("0000000002.closed".as_ref()));
    }
    fs::create_dir(place.path("store")).expect("it can be made");
    let copied = place.path("store").join("0000000002.closed");
    fs::copy(Path::new(&fixture).join("v1.closed"), copied).expect("it can be copied");
    golden("v1.jsonl", &place.succeeds("export", "store", "", ""));
    // Quantiles are of the last minutes, which are over.
    let page = place.page("store");
    let lasting = page.split_inclusive('\n').filter(|line| !line.contains("quantile="));
    golden("v1.txt", &lasting.collect::<String>());
}
