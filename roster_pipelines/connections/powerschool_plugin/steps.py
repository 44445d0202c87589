"""The letter that goes with the plugin: what a district's administrator does, and what they hand over."""

from roster_pipelines.settings import PluginSettings

_LETTER = """\
{name}: how to connect PowerSchool SIS

From {contact}

The file {file} lets {publisher} read your rosters through PowerSchool's OneRoster API. You need an account
that may manage plugins.

 1. First see whether PowerSchool's own Universal Rostering plugin is installed (its older name is Unified
    Classroom). Where it is missing, ask PowerSchool for it: they make a quote that costs nothing, and want an
    Opportunity ID for it. {opportunity}
 2. Open System, System Settings (in older versions: Server), Plugin Management.
 3. Install: choose {file} just as it is, without unpacking it. If a window asks to register it, choose Register.
 4. Enable the plugin.
 5. Open the plugin's Data Configuration (or Data Provider Configuration) and set Maximum Page Size to 1000.
 6. Read Client ID and Client Secret there, and hand over to {publisher}:

      - the address of your PowerSchool, such as https://district.powerschool.example
      - the Client ID
      - the Client Secret, in a way that nobody else can read: not by e-mail

    If your PowerSchool lets in only known addresses, ask us for ours.

Later

  - A new secret can be made in PowerSchool SIS 21.11.2.0 and newer. The old one then ends: send us the new one.
  - Please tell us before you disable, delete or reinstall the plugin: Client ID and Client Secret may change.

If anything is in the way: {contact}
"""


def steps(plugin: PluginSettings, file: str, opportunity_id: str | None = None) -> str:
    """Write the letter.

    Args:
        plugin: What the vendor says of itself.
        file: The plugin's file name.
        opportunity_id: The Opportunity ID that PowerSchool gave the vendor, if there is one.
    """
    contact = ", ".join(part for part in (plugin.publisher, plugin.email, plugin.phone) if part)
    opportunity = f"Ours is {opportunity_id}." if opportunity_id else "Ask us for ours."
    return _LETTER.format(
        name=plugin.name, publisher=plugin.publisher, contact=contact, file=file, opportunity=opportunity
    )
