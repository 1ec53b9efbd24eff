"""Plans as sheets: reading CSV and XLSX into rows of text, checking them against a mapping, and writing them again.

Pure: no Flask, no database.
"""
