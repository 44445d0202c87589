"""What a district installs in its PowerSchool SIS: plugin.xml, its rules, the administrator's steps. Pure."""
