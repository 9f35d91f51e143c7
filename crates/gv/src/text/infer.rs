//! Which type a text without declaration has.

use super::ast::{Kind, Node};
use super::error;
use crate::{Error, Type};

/// A set of types that a node could have.
#[derive(Clone, Debug, PartialEq)]
struct Pattern {
    /// Whether more maybes may be wrapped around: true unless a type was declared.
    open: bool,
    /// Maybes around the core.
    maybes: usize,
    core: Core,
}

#[derive(Clone, Debug, PartialEq)]
enum Core {
    /// Anything at all
    Any,
    /// Any number, `i` if nothing else is known
    Number,
    /// `s`, `o` or `g`, `s` if nothing else is known
    Text,
    /// A type without parts
    Letter(char),
    Array(Box<Pattern>),
    Tuple(Vec<Pattern>),
    Entry(Box<(Pattern, Pattern)>),
}

impl Pattern {
    fn open(core: Core) -> Pattern {
        Pattern {
            open: true,
            maybes: 0,
            core,
        }
    }

    fn exact(ty: &Type) -> Pattern {
        use crate::ty::Kind as T;
        let mut maybes = 0;
        let mut inner = ty;
        while let T::Maybe(element) = inner.kind() {
            maybes += 1;
            inner = element;
        }
        let core = match inner.kind() {
            T::Array(element) => Core::Array(Box::new(Pattern::exact(element))),
            T::Tuple(members) => Core::Tuple(members.iter().map(Pattern::exact).collect()),
            T::DictEntry(key, value) => {
                Core::Entry(Box::new((Pattern::exact(key), Pattern::exact(value))))
            }
            // All others are one letter.
            _ => Core::Letter(inner.as_str().chars().next().unwrap_or('v')),
        };
        Pattern {
            open: false,
            maybes,
            core,
        }
    }

    fn array(element: Pattern) -> Pattern {
        Pattern::open(Core::Array(Box::new(element)))
    }

    fn entry(key: Pattern, value: Pattern, open: bool) -> Pattern {
        Pattern {
            open,
            maybes: 0,
            core: Core::Entry(Box::new((key, value))),
        }
    }

    fn is_basic(&self) -> bool {
        self.maybes == 0
            && match self.core {
                Core::Number | Core::Text => true,
                Core::Letter(letter) => letter != 'v',
                _ => false,
            }
    }

    /// The types in both sets, `None` if there is none.
    fn common(self, other: Pattern) -> Option<Pattern> {
        if self.core == Core::Any && self.maybes == 0 {
            return Some(other);
        }
        if other.core == Core::Any && other.maybes == 0 {
            return Some(self);
        }
        let maybes = self.maybes.max(other.maybes);
        for side in [&self, &other] {
            if side.maybes < maybes && !side.open {
                return None;
            }
        }
        Some(Pattern {
            open: self.open && other.open,
            maybes,
            core: self.core.common(other.core)?,
        })
    }

    /// The default type of the set, `None` if there is none.
    fn write(&self, out: &mut String) -> Option<()> {
        for _ in 0..self.maybes {
            out.push('m');
        }
        match &self.core {
            Core::Any => return None,
            Core::Number => out.push('i'),
            Core::Text => out.push('s'),
            Core::Letter(letter) => out.push(*letter),
            Core::Array(element) => {
                out.push('a');
                element.write(out)?;
            }
            Core::Tuple(members) => {
                out.push('(');
                for member in members {
                    member.write(out)?;
                }
                out.push(')');
            }
            Core::Entry(entry) => {
                out.push('{');
                entry.0.write(out)?;
                entry.1.write(out)?;
                out.push('}');
            }
        }
        Some(())
    }
}

impl Core {
    fn common(self, other: Core) -> Option<Core> {
        Some(match (self, other) {
            (Core::Any, core) | (core, Core::Any) => core,
            (Core::Number, Core::Letter(letter)) | (Core::Letter(letter), Core::Number)
                if "ynqiuxthd".contains(letter) =>
            {
                Core::Letter(letter)
            }
            (Core::Text, Core::Letter(letter)) | (Core::Letter(letter), Core::Text)
                if "sog".contains(letter) =>
            {
                Core::Letter(letter)
            }
            (Core::Array(a), Core::Array(b)) => Core::Array(Box::new(a.common(*b)?)),
            (Core::Tuple(a), Core::Tuple(b)) if a.len() == b.len() => Core::Tuple(
                (a.into_iter().zip(b))
                    .map(|(a, b)| a.common(b))
                    .collect::<Option<_>>()?,
            ),
            (Core::Entry(a), Core::Entry(b)) => {
                let (a, b) = (*a, *b);
                Core::Entry(Box::new((a.0.common(b.0)?, a.1.common(b.1)?)))
            }
            (a, b) if a == b => a,
            _ => return None,
        })
    }
}

/// The type that the text gives the node.
pub(super) fn infer(node: &Node<'_>) -> Result<Type, Error> {
    let mut out = String::new();
    if pattern(node)?.write(&mut out).is_none() {
        return Err(error(node.start, node.end, "unable to infer type"));
    }
    Type::parse(&out).map_err(|_| error(node.start, node.end, "variant nested too deeply"))
}

/// The common pattern of all nodes, `None` if there is no node.
fn common<'a, 'b: 'a>(
    nodes: impl Iterator<Item = &'a Node<'b>> + Clone,
) -> Result<Option<Pattern>, Error> {
    let mut found: Option<Pattern> = None;
    for (index, node) in nodes.clone().enumerate() {
        let next = pattern(node)?;
        let Some(so_far) = found else {
            found = Some(next);
            continue;
        };
        found = so_far.common(next.clone());
        if found.is_none() {
            return Err(no_common_type(nodes, index, node, &next)?);
        }
    }
    Ok(found)
}

/// Names the first of the nodes before `index` that does not fit.
fn no_common_type<'a, 'b: 'a>(
    nodes: impl Iterator<Item = &'a Node<'b>>,
    index: usize,
    node: &Node<'_>,
    this: &Pattern,
) -> Result<Error, Error> {
    let mut other = (0, 0);
    for earlier in nodes.take(index) {
        other = (earlier.start, earlier.end);
        if pattern(earlier)?.common(this.clone()).is_none() {
            break;
        }
    }
    Ok(Error::Text {
        start: other.0,
        end: other.1,
        other: Some((node.start, node.end)),
        message: "unable to find a common type".into(),
    })
}

fn pattern(node: &Node<'_>) -> Result<Pattern, Error> {
    let basic_key = |key: Pattern| {
        if key.is_basic() {
            Ok(key)
        } else {
            let message = "dictionary keys must have basic types";
            Err(error(node.start, node.end, message))
        }
    };
    Ok(match &node.kind {
        Kind::Bool(_) => Pattern::open(Core::Letter('b')),
        Kind::Number(token) if super::number::is_float(token) => Pattern::open(Core::Letter('d')),
        Kind::Number(_) => Pattern::open(Core::Number),
        Kind::Text(_) => Pattern::open(Core::Text),
        Kind::Bytes(_) => Pattern::array(Pattern {
            open: false,
            maybes: 0,
            core: Core::Letter('y'),
        }),
        Kind::Array(items) => {
            Pattern::array(common(items.iter())?.unwrap_or_else(|| Pattern::open(Core::Any)))
        }
        Kind::Tuple(members) => Pattern::open(Core::Tuple(
            members.iter().map(pattern).collect::<Result<_, _>>()?,
        )),
        Kind::Dict(entries) => {
            let any = || Pattern::open(Core::Any);
            let (key, value) = match common(entries.iter().map(|(key, _)| key))? {
                None => (any(), any()),
                // Only the first value counts.
                Some(key) => (basic_key(key)?, pattern(&entries[0].1)?),
            };
            Pattern::array(Pattern::entry(key, value, false))
        }
        Kind::Entry(entry) => {
            let key = basic_key(pattern(&entry.0)?)?;
            Pattern::entry(key, pattern(&entry.1)?, true)
        }
        Kind::Variant(_) => Pattern::open(Core::Letter('v')),
        Kind::Maybe(None) => Pattern {
            open: true,
            maybes: 1,
            core: Core::Any,
        },
        Kind::Maybe(Some(inner)) => {
            let inner = pattern(inner)?;
            Pattern {
                open: true,
                maybes: inner.maybes + 1,
                core: inner.core,
            }
        }
        Kind::Typed(ty, _) => Pattern::exact(ty),
    })
}
