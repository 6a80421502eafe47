//! The models that a process asks, in the order of preference.

use super::{
    Outcome, Provider, Questions,
    client::{ModelClient, SetupError},
    extractive::Extractive,
    meter,
};
use crate::civic::settings::SummariserSettings;

/// Who writes summaries: one provider or more. Those after the first are asked when the one before gives nothing of use.
#[derive(Debug)]
pub struct Summariser {
    providers: Vec<Box<dyn Provider>>,
}

impl Default for Summariser {
    /// Sentences of the source.
    fn default() -> Self {
        Self { providers: vec![Box::new(Extractive)] }
    }
}

impl Summariser {
    /// The providers of these settings. It sends nothing yet.
    ///
    /// # Errors
    /// When a model's address is none, or the model has no price.
    pub fn new(settings: &SummariserSettings) -> Result<Self, SetupError> {
        let SummariserSettings::Models(models) = settings else { return Ok(Self::default()) };
        let mut providers: Vec<Box<dyn Provider>> = Vec::with_capacity(models.list.len());
        for model in &models.list {
            providers.push(Box::new(ModelClient::new(model.clone())?));
        }
        if providers.is_empty() { Ok(Self::default()) } else { Ok(Self { providers }) }
    }

    /// The providers, the preferred one first. There is always one.
    #[must_use]
    pub fn providers(&self) -> &[Box<dyn Provider>] {
        &self.providers
    }

    /// The names of their models, in the same order.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        self.providers.iter().map(|provider| provider.model()).collect()
    }

    /// True: no call of it costs anything, and nothing has to be reserved for one.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.providers[0].kind() == super::ProviderKind::Extractive
    }

    /// Asks one provider, and counts the call. The caller writes [`Outcome::call`] into the ledger.
    pub async fn ask(&self, provider: &dyn Provider, questions: &Questions) -> Outcome {
        let outcome = provider.ask(questions).await;
        meter::record(&outcome.call);
        outcome
    }
}
