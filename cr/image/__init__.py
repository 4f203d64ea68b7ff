"""The image format alone: records, frames, grammar. It knows no kernel and no processor.

Read `types` for the numbers, `header` and `tree` for the shape of an image, then any subject;
`stream` puts records into bytes and gets them out, `walk` goes over a whole image, `schema`
prints docs/FORMAT.md.
"""
