//! Packages: which names exist, and which functions have effects.

mod walk;

use std::collections::{BTreeMap, BTreeSet};

use self::walk::{names_in_block, root_name, targets_in_block, walk_block};
use crate::source::{Fault, Sources, Span};
use crate::syntax::ast::{ExprKind, File, Func, TypeBody, TypeDef, TypeExpr, TypeKind, VarSpec};
use crate::syntax::parser::parse;

/// Most packages of a program.
const MAX_PACKAGES: usize = 64;

/// One package: declarations by name.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(super) path: String,
    /// Alias to package number.
    pub(super) imports: BTreeMap<String, usize>,
    pub(super) consts: BTreeMap<String, (VarSpec, usize)>,
    pub(super) vars: BTreeMap<String, (VarSpec, usize)>,
    pub(super) types: BTreeMap<String, TypeDef>,
    pub(super) funcs: Vec<Func>,
    /// Plain functions by name.
    pub(super) by_name: BTreeMap<String, usize>,
    /// Methods by receiver type and name.
    pub(super) methods: BTreeMap<(String, String), usize>,
    /// Variables that are assigned or whose address is taken.
    pub(super) mutable: BTreeSet<String>,
    /// For each function whether it can touch a mutable variable.
    pub(super) effects: Vec<bool>,
}

/// All packages, the program itself first.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    list: Vec<Package>,
}

/// Text of a package by import path.
pub(crate) type Source<'a> = dyn Fn(&str) -> Option<Vec<(String, String)>> + 'a;

impl Packages {
    pub(super) fn get(&self, index: usize) -> &Package {
        &self.list[index]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Package)> {
        self.list.iter().enumerate()
    }

    /// Parses the program and what it imports.
    pub(crate) fn load(
        sources: &mut Sources,
        files: &[(String, String)],
        source: &Source<'_>,
    ) -> Result<Self, Vec<Fault>> {
        let mut loader = Loader {
            packages: Self::default(),
            open: Vec::new(),
            source,
        };
        loader.load("main", files, sources, Span::default())?;
        let mut packages = loader.packages;
        let changing: BTreeSet<String> = packages
            .list
            .iter()
            .flat_map(|p| p.pointer_methods().map(str::to_owned))
            .collect();
        for package in &mut packages.list {
            package.find_mutable(&changing);
        }
        packages.find_effects();
        Ok(packages)
    }

    /// A function has effects if it mentions a mutable variable or something with effects. By name, so it may err on
    /// the safe side: such functions are executed in place.
    fn find_effects(&mut self) {
        let mentions: Vec<Vec<BTreeSet<String>>> = self
            .list
            .iter()
            .map(|p| p.funcs.iter().map(|f| names_in_block(&f.body)).collect())
            .collect();
        let mut tainted: BTreeSet<String> = self
            .list
            .iter()
            .flat_map(|p| p.mutable.iter().cloned())
            .collect();
        loop {
            let before = tainted.len();
            for (package, mentions) in self.list.iter_mut().zip(&mentions) {
                for (index, names) in mentions.iter().enumerate() {
                    if !package.effects[index] && !names.is_disjoint(&tainted) {
                        package.effects[index] = true;
                        tainted.insert(package.funcs[index].name.text.clone());
                    }
                }
            }
            if tainted.len() == before {
                return;
            }
        }
    }
}

struct Loader<'a> {
    packages: Packages,
    open: Vec<String>,
    source: &'a Source<'a>,
}

impl Loader<'_> {
    fn load(
        &mut self,
        path: &str,
        files: &[(String, String)],
        sources: &mut Sources,
        at: Span,
    ) -> Result<usize, Vec<Fault>> {
        let number = self.packages.list.len();
        if number >= MAX_PACKAGES {
            return Err(vec![*Fault::new(
                at,
                "too many packages",
                "import fewer packages",
            )]);
        }
        self.packages.list.push(Package {
            path: path.to_owned(),
            ..Package::default()
        });
        self.open.push(path.to_owned());
        let mut parsed: Vec<File> = Vec::new();
        let mut faults = Vec::new();
        for (name, text) in files {
            let id = sources.add(name, text);
            match parse(id, text) {
                Ok(file) => parsed.push(file),
                Err(found) => faults.extend(found),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        for file in parsed {
            self.imports(&file, number, sources)?;
            let package = &mut self.packages.list[number];
            package.add(file).map_err(|fault| vec![*fault])?;
        }
        let package = &mut self.packages.list[number];
        package.effects = vec![false; package.funcs.len()];
        self.open.pop();
        Ok(number)
    }

    fn imports(
        &mut self,
        file: &File,
        number: usize,
        sources: &mut Sources,
    ) -> Result<(), Vec<Fault>> {
        for import in &file.imports {
            let fail =
                |message: String, hint: &str| Err(vec![*Fault::new(import.span, message, hint)]);
            if self.open.contains(&import.path) {
                return fail(
                    format!("package {:?} imports itself", import.path),
                    "break the cycle",
                );
            }
            let known = self
                .packages
                .list
                .iter()
                .position(|p| p.path == import.path);
            let target = match known {
                Some(target) => target,
                None => {
                    let Some(files) = (self.source)(&import.path) else {
                        return fail(
                            format!("no package {:?}", import.path),
                            "see the list of packages in the documentation",
                        );
                    };
                    self.load(&import.path, &files, sources, import.span)?
                }
            };
            let last = import.path.rsplit('/').next().unwrap_or(&import.path);
            let alias = import.alias.as_ref().map_or(last, |name| &name.text);
            let imports = &mut self.packages.list[number].imports;
            if imports
                .insert(alias.to_owned(), target)
                .is_some_and(|old| old != target)
            {
                return fail(
                    format!("two packages are called `{alias}`"),
                    "give one another name: import other \"path\"",
                );
            }
        }
        Ok(())
    }
}

impl Package {
    fn add(&mut self, file: File) -> Result<(), Box<Fault>> {
        for spec in file.consts {
            for (i, name) in spec.names.clone().into_iter().enumerate() {
                self.fresh(&name.text, name.span)?;
                self.consts.insert(name.text, (spec.clone(), i));
            }
        }
        for spec in file.vars {
            for (i, name) in spec.names.clone().into_iter().enumerate() {
                self.fresh(&name.text, name.span)?;
                self.vars.insert(name.text, (spec.clone(), i));
            }
        }
        for def in file.types {
            self.fresh(&def.name.text, def.name.span)?;
            if let TypeBody::Struct(fields) = &def.body {
                let mut seen = BTreeSet::new();
                for (name, _) in fields {
                    if !seen.insert(&name.text) {
                        let message = format!("field `{}` is declared twice", name.text);
                        return Err(Fault::new(name.span, message, "rename one of them"));
                    }
                }
            }
            self.types.insert(def.name.text.clone(), def);
        }
        for func in file.funcs {
            self.add_func(func)?;
        }
        Ok(())
    }

    fn add_func(&mut self, func: Func) -> Result<(), Box<Fault>> {
        let index = self.funcs.len();
        if let Some(receiver) = &func.receiver {
            let Some(owner) = receiver_type(&receiver.ty) else {
                return Err(Fault::new(
                    receiver.ty.span,
                    "methods belong to struct types of this package",
                    "write `(name Type)` or `(name *Type)`",
                ));
            };
            let key = (owner.to_owned(), func.name.text.clone());
            if self.methods.insert(key, index).is_some() {
                let message = format!("method `{}` is declared twice", func.name.text);
                return Err(Fault::new(func.name.span, message, "rename one of them"));
            }
        } else {
            self.fresh(&func.name.text, func.name.span)?;
            self.by_name.insert(func.name.text.clone(), index);
        }
        self.funcs.push(func);
        Ok(())
    }

    fn fresh(&self, name: &str, span: Span) -> Result<(), Box<Fault>> {
        let taken = self.consts.contains_key(name)
            || self.vars.contains_key(name)
            || self.types.contains_key(name)
            || self.by_name.contains_key(name);
        if taken && name != "_" {
            let message = format!("`{name}` is declared twice in this package");
            return Err(Fault::new(span, message, "rename one of them"));
        }
        Ok(())
    }

    /// Methods that can change their receiver.
    fn pointer_methods(&self) -> impl Iterator<Item = &str> {
        self.funcs
            .iter()
            .filter(|f| {
                let receiver = f.receiver.as_ref().map(|r| &r.ty.kind);
                matches!(receiver, Some(TypeKind::Pointer(_)))
            })
            .map(|f| f.name.text.as_str())
    }

    /// `changing` are the names of methods, of any package, that can change their receiver.
    fn find_mutable(&mut self, changing: &BTreeSet<String>) {
        let mut found = BTreeSet::new();
        for func in &self.funcs {
            targets_in_block(&func.body, &mut found);
            walk_block(&func.body, &mut |expr| {
                if let ExprKind::Call(callee, _) = &expr.kind
                    && let ExprKind::Selector(base, name) = &callee.kind
                    && changing.contains(&name.text)
                    && let Some(root) = root_name(base)
                {
                    found.insert(root.to_owned());
                }
            });
        }
        self.mutable = self
            .vars
            .keys()
            .filter(|name| found.contains(*name))
            .cloned()
            .collect();
    }
}

fn receiver_type(ty: &TypeExpr) -> Option<&str> {
    match &ty.kind {
        TypeKind::Name(None, name) => Some(&name.text),
        TypeKind::Pointer(to) => match &to.kind {
            TypeKind::Name(None, name) => Some(&name.text),
            _ => None,
        },
        _ => None,
    }
}
