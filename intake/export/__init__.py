"""All that is kept about one patient, to be handed to her: as FHIR and on paper."""
