"""``{% extends %}`` as Django has it, except that the blocks of a parent are looked for once a process.

Django looks through the whole tree of a parent each time a page is drawn, which for the frame of the desk is
a tenth of the page. The loader keeps the compiled parent, so its blocks can be kept with it.
"""

from typing import Any

from django import template
from django.template.base import NodeList
from django.template.loader_tags import ExtendsNode, do_extends

register = template.Library()


class KnownNodes(NodeList):
    """The nodes of a compiled template, which do not change, nor does what is among them."""

    def __init__(self, nodes: NodeList) -> None:
        super().__init__(nodes)
        self.contains_nontext = nodes.contains_nontext
        self._by_type: dict[type[Any], list[Any]] = {}

    def get_nodes_by_type(self, nodetype: type[Any]) -> list[Any]:
        if nodetype not in self._by_type:
            self._by_type[nodetype] = super().get_nodes_by_type(nodetype)
        return self._by_type[nodetype]


class ExtendsKnownNode(ExtendsNode):
    """A page whose parent knows its blocks."""

    def get_parent(self, context: template.Context) -> Any:
        parent: Any = super().get_parent(context)
        if not isinstance(parent.nodelist, KnownNodes):
            parent.nodelist = KnownNodes(parent.nodelist)
        return parent


@register.tag("extends")
def extends(parser: template.base.Parser, token: template.base.Token) -> ExtendsKnownNode:
    """The tag, in the place of Django's (`builtins` in the settings)."""
    node = do_extends(parser, token)
    return ExtendsKnownNode(node.nodelist, node.parent_name, node.template_dirs)
