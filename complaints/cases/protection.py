"""Whose line it is, as far as it decides how gently it is treated."""

from __future__ import annotations

from complaints.models import Case, Product
from complaints.vocabulary import ContractKind


def contract_kind(case: Case) -> ContractKind:
    """As the administrator says of the product; a product that nobody has said anything of is a business line."""
    return ContractKind(case.product.kind) if case.product else ContractKind.BUSINESS


def is_protected(case: Case) -> bool:
    """Never cut off by a machine: by the customer, by the product, or because lives may hang on the line."""
    return is_protected_by(case, case.product)


def is_protected_by(case: Case, product: Product | None) -> bool:
    """The same for who has read its product."""
    named = product is not None and (product.protected or product.kind == ContractKind.CRITICAL)
    return named or case.contract.customer.protected
