"""The import rule of platform apps, for import-linter: it holds for a fifth marketplace without being told of it."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

PLATFORM = "marketplaces.platform"


class PlatformApps(Contract):
    """A platform app (a package of `marketplaces` with an `apps` module) imports, of the project, PLATFORM and itself.

    Nothing outside imports a platform app: settings discover them.
    """

    type_name = "platform_apps"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        packages = graph.find_children("marketplaces")
        apps = {package for package in packages if f"{package}.apps" in graph.modules}
        broken = [
            f"{importer} imports {imported}"
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _is_allowed(_app_of(importer, apps), _app_of(imported, apps), imported)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken, "apps": apps})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for sentence in check.metadata["broken"]:
            output.print_error(sentence)


def _app_of(module: str, apps: set[str]) -> str:
    return next((app for app in apps if module == app or module.startswith(f"{app}.")), "")


def _is_allowed(importing_app: str, imported_app: str, imported: str) -> bool:
    return importing_app == imported_app or (not imported_app and imported == PLATFORM)
