"""A Korean tax invoice (세금계산서). Knows the statutory form's labels, not how it is read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from docpipe.annotations import AtMost, Distinct, Kind, Labels, NotLabels, OtherTitles, OwnTitles, Product, Required, Rule, SameBlock, Sum


class Company(BaseModel):
    """One side of the invoice; the form prints both side by side with the same labels."""

    registration_number: Annotated[
        str | None,
        Kind("tax_id"),
        Labels(
            ko="사업자등록번호|사업자 등록번호|사업자번호|등록번호", en="business registration number|registration number|registration no"
        ),
        NotLabels(ko="법인등록번호|종사업장번호|승인번호"),
    ] = Field(None, description="Business registration number, ten digits, such as 123-45-67890")
    name: Annotated[
        str | None,
        Kind("name"),
        Labels(ko="상호(법인명)|상호 (법인명)|상호|법인명|회사명", en="company name|trade name|name of company"),
        NotLabels(ko="성명|대표자|담당자"),
    ] = Field(None, description="Name of the company (상호)")
    representative: Annotated[
        str | None,
        Kind("name"),
        Labels(ko="성명(대표자)|대표자 성명|대표자명|대표자|성명", en="name of representative|representative"),
    ] = Field(None, description="Name of its representative (성명)")
    address: Annotated[
        str | None,
        Kind("address"),
        Labels(ko="사업장 주소|사업장주소|사업장 소재지|사업장|주소", en="business address|address"),
    ] = Field(None, description="Address of the business (사업장 주소)")
    business_type: Annotated[str | None, Kind("text"), Labels(ko="업태", en="type of business|business type")] = Field(
        None, description="Type of business (업태)"
    )
    business_item: Annotated[str | None, Kind("text"), Labels(ko="종목|업종", en="item of business|business item")] = Field(
        None, description="Item of business (종목)"
    )
    email: Annotated[str | None, Kind("text"), Labels(ko="이메일|전자우편|E-mail", en="e-mail|email")] = Field(
        None, description="E-mail address the invoice is sent from or to"
    )


class Item(BaseModel):
    """One supplied item."""

    description: Annotated[str | None, Labels(ko="품목|품명|품목명", en="item|description")] = Field(
        None, description="What was supplied (품목)"
    )
    specification: Annotated[str | None, Labels(ko="규격", en="specification|size")] = Field(None, description="Size or model (규격)")
    quantity: Annotated[Decimal | None, Kind("quantity"), Labels(ko="수량", en="quantity|qty")] = Field(
        None, description="How many units (수량)"
    )
    unit_price: Annotated[Decimal | None, Labels(ko="단가", en="unit price")] = Field(None, description="Price of one unit (단가)")
    amount: Annotated[Decimal | None, Labels(ko="공급가액|금액", en="supply amount|supply value|amount")] = Field(
        None, description="Supply amount of the item without tax (공급가액)"
    )
    tax: Annotated[Decimal | None, Labels(ko="세액|부가세", en="tax amount|VAT|tax")] = Field(None, description="Tax on the item (세액)")


class TaxInvoiceKr(BaseModel):
    """A Korean tax invoice: supplier, recipient, what was supplied, supply amount and tax."""

    own_titles: ClassVar[OwnTitles] = OwnTitles(ko="세금계산서|전자세금계산서", en="tax invoice")
    other_titles: ClassVar[OtherTitles] = OtherTitles(
        ko="수정세금계산서|수정전자세금계산서|거래명세서|거래명세표|견적서|발주서|주문서|납품서|청구서|입금표|영수증",
        en="quotation|delivery note|statement|pro forma|proforma|credit note|amended tax invoice|modified tax invoice",
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("total", ("supply_amount", "tax")),
        Sum("supply_amount", ("items[*].amount",)),
        Sum("tax", ("items[*].tax",)),
        Product("items[*].amount", ("items[*].quantity", "items[*].unit_price")),
        AtMost("tax", "supply_amount", Decimal("0.11")),
        Distinct("supplier.registration_number", "recipient.registration_number"),
        SameBlock(("supplier.name", "supplier.address")),
        SameBlock(("recipient.name", "recipient.address")),
    )

    approval_number: Annotated[
        str | None,
        Kind("id"),
        Labels(ko="승인번호|국세청 승인번호|국세청승인번호", en="approval number|approval no"),
        NotLabels(ko="관리번호|일련번호|책번호"),
    ] = Field(None, description="Approval number of the tax authority (승인번호)")
    issue_date: Annotated[
        date | None,
        Required(),
        Labels(ko="작성일자|작성 일자|작성년월일|작성일|발행일자|발행일", en="date of issue|issue date"),
        NotLabels(ko="전송일자|발급일자|월일"),
    ] = Field(None, description="Date of issue (작성일자)")
    supplier: Annotated[Company | None, Labels(ko="공급자|공급하는 자|공급하는자", en="supplier")] = Field(
        None, description="Who supplied (공급자), the left or upper side"
    )
    recipient: Annotated[Company | None, Labels(ko="공급받는자|공급받는 자", en="recipient|purchaser")] = Field(
        None, description="Who was supplied (공급받는자), the right or lower side"
    )
    items: list[Item] = Field(default_factory=list, description="Every supplied item, in printed order")
    supply_amount: Annotated[
        Decimal | None,
        Labels(ko="공급가액 합계|공급가액합계|총 공급가액|공급가액", en="total supply amount|supply amount|supply value"),
    ] = Field(None, description="Total supply amount without tax (공급가액)")
    tax: Annotated[Decimal | None, Labels(ko="세액 합계|세액합계|부가가치세|세액", en="total tax|tax amount|VAT")] = Field(
        None, description="Total tax (세액)"
    )
    total: Annotated[
        Decimal | None,
        Required(),
        Labels(ko="합계금액|합계 금액|총금액|총 합계|합계", en="total amount|grand total|total"),
        NotLabels(ko="현금|수표|어음|외상미수금|공급가액|세액"),
    ] = Field(None, description="Total with tax (합계금액)")
    note: Annotated[str | None, Kind("text"), Labels(ko="비고", en="remarks|note")] = Field(
        None, description="Remark on the invoice (비고)"
    )
