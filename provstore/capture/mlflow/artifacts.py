"""What a run logged besides models: a folder that it made, and each file in it, as states with their digests."""

from __future__ import annotations

from provstore import rdf
from provstore.capture.draft import Draft
from provstore.capture.mlflow.files import named
from provstore.vocab import DCT, PROV, PS


def artifacts(draft: Draft, server: str) -> None:
    """The artifacts of a run: its folder of them is what the run made, each file in it was written from that.

    So that a run with many reads and many artifacts has not as many derivations as the product of both.
    """
    identifier, run = draft.run(draft.text(draft.value, "run_id"), pointer="/run_id")
    end = draft.instant(draft.value, "end_time")
    draft.head(end, run)
    place = _place(draft, server)
    folder = draft.write(run, identifier, draft.dataset(*place))
    draft.type(folder, PROV.Collection)
    draft.say(folder, DCT.title, rdf.literal("artifacts"))
    logging = f"{run[:-1]}#logging>"
    draft.type(logging, PROV.Activity)
    draft.say(logging, DCT.isPartOf, run)
    draft.use(logging, folder)
    draft.associate(logging, draft.agent("software", "MLflow", "MLflow"))
    draft.span(logging, None, end)
    if draft.value.get("more") is True:
        draft.note("/artifacts", "the run has more artifacts than are listed")
    for where, each in draft.objects(draft.value, "artifacts"):
        path, digest = draft.words(each, "path", where), draft.words(each, "sha256", where)
        if not path:
            draft.note(where, "ignored: an artifact has a path")
            continue
        namespace, name = place
        node = draft.write(logging, identifier, draft.dataset(namespace, f"{name}/{path}"))
        draft.say(node, DCT.title, rdf.literal(path))
        draft.say(folder, PROV.hadMember, node)
        draft.derive(node, [folder])
        size = each.get("size")
        if type(size) is int:
            draft.say(node, PS.byteSize, rdf.integer(size))
        if digest:
            draft.content(node, {"sha256": digest}, size if type(size) is int else None)


def _place(draft: Draft, server: str) -> tuple[str, str]:
    """Namespace and name of the folder: where it lies, if that is told, else by its run on the server."""
    uri = (draft.words(draft.value, "artifact_uri") or "").rstrip("/")
    namespace, name = named(uri)
    elsewhere = namespace == "file" and not uri.startswith(("/", "file:"))  # mlflow-artifacts:/7/…, dbfs:/…
    if elsewhere or not namespace or namespace.startswith("mlflow-artifacts:"):
        return server, f"run/{draft.text(draft.value, 'run_id')}/artifacts"
    return namespace, name
