//! The scripted model keeps the contract of model calls.

use devskyy_testkit::contracts::models::{ModelsUnderTest, ScriptedStage};

async fn scripted() -> ModelsUnderTest {
    ScriptedStage::set()
}

devskyy_testkit::models_contract!(scripted);
