use gatepass_core::{ChatRequest, JsonObject, Tool, ToolChoice};
use gatepass_wire::Members;
use serde::{Serialize, Serializer};

/// `tools`: ours, then those that the provider runs.
pub(super) struct Tools<'a> {
    pub(super) own: &'a [Tool],
    pub(super) provider: &'a [JsonObject],
}

impl Tools<'_> {
    pub(super) const fn are_none(&self) -> bool {
        self.own.is_empty() && self.provider.is_empty()
    }
}

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Either<'a> {
            Own(Offered<'a>),
            Provider(&'a JsonObject),
        }
        let own = self.own.iter().map(|tool| Either::Own(Offered(tool)));
        serializer.collect_seq(own.chain(self.provider.iter().map(Either::Provider)))
    }
}

struct Offered<'a>(&'a Tool);

impl Serialize for Offered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(tool) = self;
        let mut object = Members::start(serializer, &tool.extra)?;
        object.member("name", &tool.name)?;
        object.optional("description", tool.description.as_ref())?;
        match tool.parameters.as_object() {
            Some(schema) => object.member("input_schema", &Typed(schema))?,
            None => object.member("input_schema", &tool.parameters)?,
        }
        object.optional("strict", tool.strict.as_ref())?;
        object.end()
    }
}

/// A schema of an object; the API insists that it says so.
struct Typed<'a>(&'a JsonObject);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut schema = Members::start(serializer, self.0)?;
        schema.member("type", "object")?;
        schema.end()
    }
}

/// `tool_choice`, where it also stands that no two tools may be asked for at once.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Choice<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_parallel_tool_use: bool,
}

impl<'a> Choice<'a> {
    pub(super) fn of(request: &'a ChatRequest) -> Option<Self> {
        let has_tools = !(request.tools.is_empty() && request.provider_tools.is_empty());
        let one_at_a_time = request.parallel_tool_calls == Some(false) && has_tools;
        let (kind, name) = match &request.tool_choice {
            None if !one_at_a_time => return None,
            Some(ToolChoice::None) => ("none", None),
            Some(ToolChoice::Required) => ("any", None),
            Some(ToolChoice::Tool(name)) => ("tool", Some(name.as_str())),
            _ => ("auto", None),
        };
        Some(Self {
            kind,
            name,
            disable_parallel_tool_use: one_at_a_time && kind != "none",
        })
    }
}
