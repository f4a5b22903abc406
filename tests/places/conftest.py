"""An invented country: one county with two districts that became one council, and a borough."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shielding.tables import Table, read_table

MYSOCIETY = (
    "local-authority-code,official-name,nice-name,gss-code,start-date,end-date,replaced-by,local-authority-type,county-la,snac\n"
    "HEX,Hexelshire County Council,Hexelshire,E10000901,1974-04-01,2023-04-01,NHX,CTY,,90\n"
    "ASH,Ashmarsh District Council,Ashmarsh,E07000901,,2023-03-31,NHX,NMD,HEX,90UB\n"
    "BRK,Brackwell Borough Council,Brackwell,E07000902,,2023-04-01,NHX,NMD,HEX,90UC\n"
    "NHX,Hexelshire Council,Hexelshire,E06000901,2023-04-01,,,UA,,\n"
    "COR,Corvel Metropolitan Borough Council,Corvel,E08000901,1974-04-01,,,MD,,00ZZ\n"
    "NRH,North Hexel Combined Authority,North Hexel,E47000901,,,,COMB,,\n"
    "OLD,Oldtown,Oldtown,,,2015-03-31,,NID,,\n"
    "BAD,Badland,Badland,E08000902,first of May,,,MD,,\n"
)
GOVUK = (
    "id,gss,snac,local_custodian_code,tier_id,parent_local_authority_id,slug,country_name,homepage_url,name\n"
    "1,E08000901,00ZZ,1,3,,corvel,England,https://corvel.example/,Corvel Council\n"
    "2,E10000902,91,2,1,,dale,England,https://dale.example/,Dale County Council\n"
    "3,E07000903,91UB,3,2,2,fen,England,https://fen.example/,Fen District Council\n"
    "4,S12000901,00QX,4,3,,glen,Scotland,https://glen.example/,Glen Council\n"
    "5,E10000901,90,5,3,,hexelshire,England,https://hexel.example/,Hexelshire Council\n"
    "6,E07000904,91UC,6,2,1,lost,England,https://lost.example/,Lost District Council\n"
    "7,X1,,7,3,,nowhere,England,,Nowhere\n"
)
ALL_CODES = (
    "LADCD,LADNM,LADCD_ACTIVE,LADNM_ACTIVE,UTLACD,UTLANM\n"
    "E07000901,Ashmarsh,E06000901,Hexelshire,E06000901,Hexelshire\n"
    "E08000020,Gateshead,E08000037,Gateshead,E08000037,Gateshead\n"
    "E08000037,Gateshead,E08000037,Gateshead,E08000037,Gateshead\n"
    "E07000905,Moor,E06000902,Moor,E06000902,Moor\n"
    "E06000902,Moor,E06000902,Moor,E06000902,Moor\n"
    "E07000903,Fen,E07000903,Fen,E10000902,Dale\n"
)
ONS = (
    "\ufeffFID,LTLA21CD,LTLA21NM,UTLA21CD,UTLA21NM\n"
    "1,E07000906,Heath,E10000903,Vale\n"
    "2,E92000001,England,E10000903,Vale\n"
)
FORUMS = "local-resilience-forum,name,statistical-geography\nhexel,Hexel,E48000901\n,,\nmoor,Moor,\n"
FORUM_AREAS = (
    "la-statistical-geography,lrf-statistical-geography\n"
    "E07000901,E48000901\nE07000902,E48000901\nE08000901,E48000999\nE07000999,E48000901\n"
)
CONTACTS = (
    "Name,Home page URL,SNAC Code,Telephone Number 1\n"
    "Corvel,http://corvel.example,00ZZ,01632 960\xa0001\n"
    "Château House,http://fen.example,91UB,01632 960002 or 01632 960003\n"
    "Glen,http://glen.example,00QX,\n"
    "Nobody,http://nobody.example,,01632 960004\n"
    "Stranger,http://stranger.example,99XX,01632 960005\n"
)
FILES = {
    "contacts.csv": CONTACTS,
    "forum_areas.csv": FORUM_AREAS,
    "forums.csv": FORUMS,
    "ons.csv": ONS,
    "all_codes.csv": ALL_CODES,
    "govuk.csv": GOVUK,
    "mysociety.csv": MYSOCIETY,
}


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    """Writes a file and returns it as a table."""

    def make(content: str | bytes, name: str = "file.csv", encoding: str = "utf-8") -> Table:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return read_table(tmp_path / name)

    return make


@pytest.fixture
def country(table: Callable[..., Table]) -> list[Table]:
    """Returns every file of the invented country, in an order that does not suit."""
    return [table(text, name, "latin-1" if name == "contacts.csv" else "utf-8") for name, text in FILES.items()]
