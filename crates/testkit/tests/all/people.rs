//! The adapters in memory keep every promise about people, projects and agents.

use devskyy_testkit::contracts::people::PeopleUnderTest;

async fn in_memory() -> PeopleUnderTest {
    PeopleUnderTest::in_memory()
}

devskyy_testkit::identity_contract!(in_memory);
devskyy_testkit::projects_contract!(in_memory);
devskyy_testkit::agents_contract!(in_memory);
