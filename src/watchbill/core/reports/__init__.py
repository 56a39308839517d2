"""Post-mortem reports as files: read from Markdown and from the text of a PDF, written as Markdown, MyST and PDF.

report.py               the record: sections, timeline, action items, what was guessed and what was not understood
markdown.py             the door to a Markdown report: `read_markdown`
pagerduty.py            the door to the text of PagerDuty's PDF exports: `read_pdf_text`
write.py                `write_markdown`, which loses nothing, and `write_myst`
pdf.py                  `write_pdf`
blameless.py            names become roles; words that blame

sheet.py                a Markdown text as blocks
front.py                front matter, the table of the impact, the file's day
timeline.py, actions.py the two sections that are data
pagerduty_timeline.py   the same of an export
unwrap.py               printed lines as text again
when.py, zones.py       days, times and zones as people write them
words.py                headings, states, references
"""
