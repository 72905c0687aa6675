"""report.json and report.html."""


def write_report(workspace, settings, progress):
    pass
