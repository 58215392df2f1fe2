//! The small language of workflows keeps the contract, and languages with one flaw each are detected.

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::workflow::{
    DestinationRefused, Destinations, EvaluationError, Expressions, SchemaViolation, Schemas, SyntaxError, ToolCall,
    ToolDescription, ToolDescriptions, ToolError, ToolExecutor,
};
use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    workflow::McpServer,
};
use devskyy_testkit::{contracts::workflow::WorkflowUnderTest, fakes::PathExpressions};

async fn in_memory() -> WorkflowUnderTest {
    WorkflowUnderTest::in_memory()
}

devskyy_testkit::workflow_contract!(in_memory);

/// Accepts everything unchanged, and finds no error.
struct Credulous;

/// Implements the language, but ignores every failure.
struct Swallowing;

/// Refuses everything, at length and without a place.
struct Strict;

#[async_trait]
impl Expressions for Credulous {
    async fn check_program(&self, _: &str) -> Result<(), SyntaxError> {
        Ok(())
    }

    async fn check_template(&self, _: &str) -> Result<(), SyntaxError> {
        Ok(())
    }

    async fn evaluate(&self, _: &str, input: &Json) -> Result<Json, EvaluationError> {
        Ok(input.clone())
    }

    async fn render(&self, template: &str, _: &Json) -> Result<String, EvaluationError> {
        Ok(template.to_owned())
    }
}

#[async_trait]
impl Expressions for Swallowing {
    async fn check_program(&self, program: &str) -> Result<(), SyntaxError> {
        PathExpressions.check_program(program).await
    }

    async fn check_template(&self, template: &str) -> Result<(), SyntaxError> {
        PathExpressions.check_template(template).await
    }

    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError> {
        Ok(PathExpressions.evaluate(program, input).await.unwrap_or_default())
    }

    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError> {
        Ok(PathExpressions.render(template, context).await.unwrap_or_default())
    }
}

#[async_trait]
impl Expressions for Strict {
    async fn check_program(&self, _: &str) -> Result<(), SyntaxError> {
        Err(SyntaxError { message: "no".into() })
    }

    async fn check_template(&self, _: &str) -> Result<(), SyntaxError> {
        Err(SyntaxError { message: "no".into() })
    }

    async fn evaluate(&self, _: &str, _: &Json) -> Result<Json, EvaluationError> {
        Err(EvaluationError { message: "no".into() })
    }

    async fn render(&self, _: &str, _: &Json) -> Result<String, EvaluationError> {
        Err(EvaluationError { message: "no".into() })
    }
}

#[async_trait]
impl Schemas for Credulous {
    async fn check(&self, _: &Json) -> Result<(), Vec<SchemaViolation>> {
        Ok(())
    }

    async fn validate(&self, _: &Json, _: &Json) -> Result<(), Vec<SchemaViolation>> {
        Ok(())
    }
}

#[async_trait]
impl Schemas for Strict {
    async fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>> {
        self.validate(schema, schema).await
    }

    async fn validate(&self, _: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>> {
        let message = serde_json::to_string(document).unwrap_or_default();
        Err(vec![SchemaViolation { pointer: "/somewhere".into(), message }; 21])
    }
}

impl Destinations for Credulous {
    fn check(&self, _: &str) -> Result<(), DestinationRefused> {
        Ok(())
    }
}

impl Destinations for Strict {
    fn check(&self, _: &str) -> Result<(), DestinationRefused> {
        Err(DestinationRefused { message: "no".into() })
    }
}

#[async_trait]
impl ToolExecutor for Credulous {
    async fn call(&self, _: ToolCall) -> Result<Json, ToolError> {
        Ok(Json::Null)
    }
}

#[async_trait]
impl ToolExecutor for Strict {
    async fn call(&self, _: ToolCall) -> Result<Json, ToolError> {
        Err(ToolError::OutcomeUnknown { code: "tool.lost".into(), message: "no".into() })
    }
}

#[async_trait]
impl ToolDescriptions for Credulous {
    async fn describe(&self, _: ProjectId, server: &McpServer) -> Result<ToolDescription, ToolError> {
        Ok(ToolDescription { description: Some(server.tool.clone()), input_schema: Json::Bool(true) })
    }
}

fn flawed() -> [WorkflowUnderTest; 3] {
    let credulous = WorkflowUnderTest {
        expressions: Arc::new(Credulous),
        schemas: Arc::new(Credulous),
        destinations: Arc::new(Credulous),
        tools: Arc::new(Credulous),
        descriptions: Arc::new(Credulous),
        ..WorkflowUnderTest::in_memory()
    };
    let strict = WorkflowUnderTest {
        expressions: Arc::new(Strict),
        schemas: Arc::new(Strict),
        destinations: Arc::new(Strict),
        tools: Arc::new(Strict),
        ..WorkflowUnderTest::in_memory()
    };
    [credulous, strict, WorkflowUnderTest { expressions: Arc::new(Swallowing), ..WorkflowUnderTest::in_memory() }]
}

mod caught {
    use super::flawed;

    devskyy_testkit::workflow_contract!(each broken flawed);
}
