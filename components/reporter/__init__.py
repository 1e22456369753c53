"""The page of a run: what is there of it (`material`), sections that every task has (`sections`), and who puts them together
(`writing`). What a task adds stands in components/tasks/reports.

May be touched: freely. Nothing rests on the page, and no stage before it imports what is here.
"""
