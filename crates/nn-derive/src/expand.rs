//! From the definition of a type to its implementation of `Module`.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Generics, Ident, Path, Result, Type, WherePredicate, parse_quote};

use crate::attributes::{crate_path, is_skipped};

/// The implementation for a type.
pub fn module(input: &DeriveInput) -> Result<TokenStream> {
    let root = crate_path(&input.attrs)?;
    let name = &input.ident;
    let variants: Vec<(TokenStream, &Fields)> = match &input.data {
        Data::Struct(data) => vec![(quote!(Self), &data.fields)],
        Data::Enum(data) => {
            let variant = |variant: &syn::Variant| variant.ident.to_token_stream();
            data.variants.iter().map(|v| (variant(v), &v.fields)).map(|(v, f)| (quote!(Self::#v), f)).collect()
        }
        Data::Union(_) => return Err(Error::new_spanned(name, "a union cannot be walked: which field is active?")),
    };
    let visited = variants.iter().map(|(_, fields)| Visited::of(fields)).collect::<Result<Vec<_>>>()?;
    let arms = |method: &str| -> Vec<TokenStream> {
        let method = format_ident!("{method}");
        variants.iter().zip(&visited).map(|((pattern, _), visited)| visited.arm(pattern, &root, &method)).collect()
    };
    let body = |arms: Vec<TokenStream>| match arms[..] {
        [] => quote!(match *self {}),
        _ => quote!(match self { #(#arms)* }),
    };
    let (walk, walk_mut) = (body(arms("walk")), body(arms("walk_mut")));
    let generics =
        with_bounds(&input.generics, &root, visited.iter().flat_map(|visited| visited.types.iter().copied()));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #root::Module for #name #type_generics #where_clause {
            fn walk(
                &self,
                path: &mut #root::Path,
                visit: &mut dyn ::core::ops::FnMut(&#root::Path, #root::Kind, &#root::Tensor),
            ) {
                #walk
            }

            fn walk_mut(
                &mut self,
                path: &mut #root::Path,
                visit: &mut dyn ::core::ops::FnMut(&#root::Path, #root::Kind, &mut #root::Tensor),
            ) {
                #walk_mut
            }
        }
    })
}

/// The fields of a struct or variant that are visited.
struct Visited<'a> {
    /// How a pattern names them: `weight: field_0`, `1: field_1`.
    bindings: Vec<TokenStream>,
    /// Those bindings, with the name under which each is visited, if any.
    fields: Vec<(Ident, Option<String>)>,
    types: Vec<&'a Type>,
}

impl<'a> Visited<'a> {
    fn of(fields: &'a Fields) -> Result<Self> {
        let mut visited = Visited { bindings: vec![], fields: vec![], types: vec![] };
        let is_newtype = matches!(fields, Fields::Unnamed(_)) && fields.len() == 1;
        for (index, field) in fields.iter().enumerate() {
            if is_skipped(field)? {
                continue;
            }
            let binding = format_ident!("field_{index}");
            let member: TokenStream = match &field.ident {
                Some(name) => name.to_token_stream(),
                None => syn::Index::from(index).to_token_stream(),
            };
            visited.bindings.push(quote!(#member: #binding));
            let name = field.ident.as_ref().map_or(index.to_string(), |name| name.to_string().replace("r#", ""));
            visited.fields.push((binding, (!is_newtype).then_some(name)));
            visited.types.push(&field.ty);
        }
        Ok(visited)
    }

    fn arm(&self, pattern: &TokenStream, root: &Path, method: &Ident) -> TokenStream {
        let bindings = &self.bindings;
        let calls = self.fields.iter().map(|(field, name)| match name {
            Some(name) => quote!(path.within(#name, |path| #root::Module::#method(#field, path, visit));),
            None => quote!(#root::Module::#method(#field, path, visit);),
        });
        let unused = self.fields.is_empty().then(|| quote!(let _ = (path, visit);));
        quote!(#pattern { #(#bindings,)* .. } => { #unused #(#calls)* })
    }
}

/// Adds `T: Module` for each type parameter that occurs in a visited field.
fn with_bounds<'a>(generics: &Generics, root: &Path, types: impl Iterator<Item = &'a Type>) -> Generics {
    let mut occurring = HashSet::new();
    types.for_each(|ty| identifiers(ty.to_token_stream(), &mut occurring));
    let mut generics = generics.clone();
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for parameter in parameters.into_iter().filter(|parameter| occurring.contains(&parameter.to_string())) {
        let bound: WherePredicate = parse_quote!(#parameter: #root::Module);
        generics.make_where_clause().predicates.push(bound);
    }
    generics
}

fn identifiers(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                found.insert(name.to_string());
            }
            TokenTree::Group(group) => identifiers(group.stream(), found),
            _ => {}
        }
    }
}
