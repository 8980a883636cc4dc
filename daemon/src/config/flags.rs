//! The table of flags, and how the command line and the environment fill it: as Go's `flag` package reads
//! them (`-x v`, `-x=v`, `--x v`, `--x=v`, the last one wins, parsing stops at the first other argument),
//! because the original's are. The file of `-config.file` fills in what neither gives.

mod table;

use std::{ffi::OsString, iter, path::Path};

use getopts::{Fail, HasArg, Occur, Options, ParsingStyle};

pub(super) use table::FLAGS;

use self::table::{LISTS, RELOADABLE};
use super::{
    ConfigError, UsageError,
    file::{File, FileError},
    yaml::{Place, Problem},
};

/// One flag: everything that is known of it.
pub(super) struct Flag {
    /// Its name, without the dash.
    pub(super) name: &'static str,
    /// Another spelling, for the flags of former releases of the original.
    alias: Option<&'static str>,
    /// The value where none is given; `None` marks a switch, which is off.
    pub(super) default: Option<&'static str>,
    /// What it does.
    pub(super) help: &'static str,
}

impl Flag {
    /// All its spellings.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        iter::once(self.name).chain(self.alias)
    }

    /// Its environment variable. What asks for a text instead of a server has none: images like to set
    /// a variable that ends in VERSION.
    pub(super) fn variable(&self) -> Option<String> {
        if matches!(self.name, "version" | "help") {
            return None;
        }
        let variable =
            format!("PUSHPROM_{}", self.name.to_ascii_uppercase().replace(['.', '-'], "_"));
        Some(variable)
    }

    /// Its key in the file: the name, of which each full stop leads into a mapping. What asks for a text
    /// or for the file itself has none.
    pub(super) fn key(&self) -> Option<String> {
        (!matches!(self.name, "version" | "help" | "config.file"))
            .then(|| self.name.replace('-', "_"))
    }

    /// What stands between the items of its value, if that is a list.
    pub(super) fn list_separator(&self) -> Option<&'static str> {
        LISTS.iter().find(|(name, _)| *name == self.name).map(|(_, separator)| *separator)
    }

    /// Whether a reload puts another value in force.
    pub(super) fn is_reloadable(&self) -> bool {
        RELOADABLE.contains(&self.name)
    }
}

/// What was given for each flag, and where.
#[derive(Clone, Debug)]
pub(super) struct Values {
    // In the order of FLAGS.
    given: Vec<Option<Given>>,
}

#[derive(Clone, Debug)]
struct Given {
    text: String,
    origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Origin {
    /// The command line, under one of the flag's names.
    Flag(&'static str),
    Variable(String),
    File {
        path: String,
        place: Option<Place>,
    },
}

impl Values {
    pub(super) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, UsageError> {
        let mut grammar = Options::new();
        grammar.long_only(true).parsing_style(ParsingStyle::StopAtFirstFree);
        for flag in FLAGS {
            let takes = if flag.default.is_some() { HasArg::Yes } else { HasArg::Maybe };
            for name in flag.names() {
                let (short, long) = if name.len() == 1 { (name, "") } else { ("", name) };
                grammar.opt(short, long, "", "", takes, Occur::Multi);
            }
        }
        let matches = grammar.parse(arguments).map_err(|fail| match fail {
            Fail::ArgumentMissing(name) => UsageError::NoValue(name),
            Fail::UnrecognizedOption(name)
            | Fail::OptionMissing(name)
            | Fail::OptionDuplicated(name)
            | Fail::UnexpectedArgument(name) => UsageError::Unknown(name),
        })?;
        let given = FLAGS.iter().map(|flag| {
            let by_flag = flag.names().flat_map(|name| {
                // A switch may stand without a value; its position tells that it was there.
                let bare =
                    matches.opt_positions(name).into_iter().map(|at| (at, "true".to_owned()));
                let valued = matches.opt_strs_pos(name);
                bare.chain(valued).map(move |(at, text)| (at, name, text))
            });
            // Of a switch with a value both are there; the later in this order is the value.
            let last = by_flag.max_by_key(|(at, _, _)| *at);
            let by_flag = last.map(|(_, name, text)| Given { text, origin: Origin::Flag(name) });
            by_flag.or_else(|| {
                let variable = flag.variable()?;
                // An empty variable is how many launchers unset one.
                let text = environment(&variable).filter(|text| !text.is_empty())?;
                Some(Given { text, origin: Origin::Variable(variable) })
            })
        });
        Ok(Self { given: given.collect() })
    }

    /// Takes from a file what neither flags nor environment gave.
    pub(super) fn fill_in(&mut self, path: &Path, file: &File) {
        for (given, by_file) in self.given.iter_mut().zip(&file.given) {
            if let (None, Some((text, place))) = (&given, by_file) {
                let origin = Origin::File { path: path.display().to_string(), place: *place };
                *given = Some(Given { text: text.clone(), origin });
            }
        }
    }

    /// Takes from `old` the values that only a start changes; says the names of those that differ.
    pub(super) fn keep_fixed(&mut self, old: &Self) -> Vec<&'static str> {
        let mut kept = Vec::new();
        for (index, flag) in FLAGS.iter().enumerate().filter(|(_, flag)| !flag.is_reloadable()) {
            if self.text(index) != old.text(index) {
                kept.push(flag.name);
                self.given[index].clone_from(&old.given[index]);
            }
        }
        kept
    }

    /// How many are from the file.
    pub(super) fn count_of_file(&self) -> usize {
        let is_from_file = |given: &&Given| matches!(given.origin, Origin::File { .. });
        self.given.iter().flatten().filter(is_from_file).count()
    }

    /// Every flag that a server has, with its value in force.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        // The others ask for something else than a server.
        let of_servers = FLAGS.iter().enumerate().filter(|(_, flag)| flag.variable().is_some());
        of_servers.map(|(index, flag)| (flag.name, self.text(index)))
    }

    /// The value of a flag, read by `read`, which says what is wrong with it otherwise.
    pub(super) fn get<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.get_paths(name, |_, text| read(text))
    }

    /// The same, where paths may be in it: `read` is told the folder at which relative ones begin.
    pub(super) fn get_paths<T>(
        &self,
        name: &str,
        read: impl Fn(&Path, &str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let index = FLAGS.iter().position(|flag| flag.name == name);
        let index = index.expect("every flag that is read is in the table");
        let text = self.text(index);
        // What a file says is meant from where the file is; all else from where we were started.
        let folder = match self.given[index].as_ref().map(|given| &given.origin) {
            Some(Origin::File { path, .. }) => Path::new(path).parent(),
            Some(Origin::Flag(_) | Origin::Variable(_)) | None => None,
        };
        read(folder.unwrap_or(Path::new("")), text).map_err(|problem| {
            let origin = match self.given[index].as_ref().map(|given| &given.origin) {
                Some(Origin::Flag(name)) => format!("flag -{name}"),
                Some(Origin::Variable(variable)) => format!("environment variable {variable}"),
                Some(Origin::File { path, place }) => {
                    let key = FLAGS[index].key().unwrap_or_default();
                    let problem = format!("invalid value {text:?} for {key}: {problem}");
                    let problem = Problem { place: *place, text: problem };
                    return FileError::new(Path::new(path), problem).into();
                }
                None => "the default".to_owned(),
            };
            UsageError::Invalid { value: text.to_owned(), origin, problem }.into()
        })
    }

    /// The text of a flag's value in force, by its place in the table.
    fn text(&self, index: usize) -> &str {
        let default = FLAGS[index].default.unwrap_or("false");
        self.given[index].as_ref().map_or(default, |given| &given.text)
    }

    /// Whether a switch is on, in the words of Go's `strconv.ParseBool`.
    pub(super) fn switch(&self, name: &str) -> Result<bool, ConfigError> {
        self.get(name, |text| match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err("use true or false".to_owned()),
        })
    }
}
