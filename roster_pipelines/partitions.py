"""One partition per district. The registry decides which; the registry sensor keeps them equal."""

import dagster as dg

districts = dg.DynamicPartitionsDefinition(name="districts")
