//! The scripted model keeps every promise of those who ask models.

use devskyy_testkit::contracts::models::{ModelsUnderTest, ScriptedStage};

async fn scripted() -> ModelsUnderTest {
    ScriptedStage::set()
}

devskyy_testkit::models_contract!(scripted);
