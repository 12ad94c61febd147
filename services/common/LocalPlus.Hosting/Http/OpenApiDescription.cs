using System.Text.Json.Nodes;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace LocalPlus.Hosting;

/// <summary>
/// The OpenAPI documents of a service, for those who come through the gateway and for the other services and the
/// sidecar: what the framework reads from the handlers, and what the endpoints declare
/// (<see cref="EndpointContract"/>): who may call, which headers are needed, and each refusal with its codes.
/// </summary>
internal static class OpenApiDescription
{
    /// <summary>The document, and the endpoints' group, that the gateway does not lead to.</summary>
    public const string Inside = "internal";

    private const string ProblemSchema = "Problem";
    private const int SharedCodes = 3;

    private static readonly OpenApiParameter KeyHeader = Header(
        IdempotentRequests.Header,
        "Made by the caller, 1 to 255 printable ASCII characters: a repeat with the same key has no second effect."
    );

    private static readonly OpenApiParameter KeyHeaderOrDryRun = Header(
        IdempotentRequests.Header,
        "As everywhere; with dry_run=true it is not needed.",
        required: false
    );

    private static readonly OpenApiParameter VersionHeader = Header(
        "If-Match",
        "The ETag last seen: nothing is changed when the object has another version by now."
    );

    public static void AddLocalPlusDescriptions(this IServiceCollection services, string service)
    {
        services.AddOpenApi("v1", options => Configure(options, service, isInside: false));
        services.AddOpenApi(Inside, options => Configure(options, service, isInside: true));
    }

    private static void Configure(OpenApiOptions options, string service, bool isInside)
    {
        options.ShouldInclude = endpoint => IsInside(endpoint) == isInside;
        var names = new SchemaNames();
        options.CreateSchemaReferenceId = names.Of;
        options.AddSchemaTransformer(SchemaShapes.ApplyAsync);
        options.AddOperationTransformer(DescribeAsync);
        options.AddDocumentTransformer(
            (document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = isInside ? $"LocalPlus {service}, for the other services" : $"LocalPlus {service}",
                    Version = "v1",
                };
                document.Tags = TagsOf(document);
                SchemaShapes.Complete(document, names.Known);
                return Task.CompletedTask;
            }
        );
    }

    private static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancel
    )
    {
        var document = context.Document!;
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.Tags = new HashSet<OpenApiTagReference> { new(Tag(context.Description.RelativePath!), document) };
        DescribeIds(operation, context.Description);
        operation.Security = [SecurityOf(context.Description, document)];
        AddHeaders(operation, metadata, document);
        operation.Responses ??= [];
        foreach (var group in EndpointContract.FaultsOf(context.Description).GroupBy(fault => fault.Status))
        {
            operation.Responses[$"{group.Key}"] = Refusal([.. group], document);
        }

        return Task.CompletedTask;
    }

    /// <summary>Ids in paths and queries, which the framework takes for any text.</summary>
    private static void DescribeIds(OpenApiOperation operation, ApiDescription endpoint)
    {
        foreach (var parameter in endpoint.ParameterDescriptions)
        {
            var type = Nullable.GetUnderlyingType(parameter.Type) ?? parameter.Type;
            var described = operation.Parameters?.SingleOrDefault(p => p.Name == parameter.Name)?.Schema;
            if (described is OpenApiSchema schema && SchemaShapes.IsId(type))
            {
                schema.Pattern = SchemaShapes.PatternOf(type);
            }
        }
    }

    private static bool IsInside(ApiDescription endpoint) => endpoint.GroupName == Inside;

    /// <summary>The first word of the path that names a thing: gift_cards, or runs for /ops/v1/runs.</summary>
    private static string Tag(string path) =>
        path.Split('/', '?').First(part => part.Length > 0 && part is not ("v1" or "ops" or Inside));

    private static HashSet<OpenApiTag> TagsOf(OpenApiDocument document) =>
        [
            .. document
                .Paths.Values.SelectMany(path => path.Operations!.Values)
                .SelectMany(operation => operation.Tags!)
                .Select(tag => tag.Reference.Id!)
                .Distinct()
                .Order(StringComparer.Ordinal)
                .Select(name => new OpenApiTag { Name = name }),
        ];

    private static OpenApiSecurityRequirement SecurityOf(ApiDescription endpoint, OpenApiDocument document)
    {
        const string merchant = "merchant_key";
        const string @operator = "operator_token";
        const string sidecar = "sidecar_token";
        var metadata = endpoint.ActionDescriptor.EndpointMetadata;
        if (IsInside(endpoint))
        {
            Once(document.Components?.SecuritySchemes, sidecar, Sidecar());
            List<string> callers = [.. metadata.OfType<Callers>().SelectMany(declared => declared.Services)];
            return new() { [new OpenApiSecuritySchemeReference(sidecar, document)] = callers };
        }

        if (EndpointContract.RoleOf(metadata) is { } role)
        {
            Once(document.Components?.SecuritySchemes, @operator, Bearer("An operator's token, with the role named."));
            return new() { [new OpenApiSecuritySchemeReference(@operator, document)] = [role] };
        }

        Once(document.Components?.SecuritySchemes, merchant, Bearer("An API key, with the scopes named."));
        List<string> scopes = [.. metadata.OfType<RequiredScope>().Select(required => required.Scope)];
        return new() { [new OpenApiSecuritySchemeReference(merchant, document)] = scopes };

        void Once(IDictionary<string, IOpenApiSecurityScheme>? known, string name, OpenApiSecurityScheme scheme)
        {
            if (known?.ContainsKey(name) is not true)
            {
                document.AddComponent(name, scheme);
            }
        }
    }

    private static OpenApiSecurityScheme Sidecar() =>
        new()
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = "dapr-api-token",
            Description = "The token of this service's own sidecar, which lets in the services named.",
        };

    private static OpenApiSecurityScheme Bearer(string description) =>
        new()
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = description,
        };

    private static void AddHeaders(OpenApiOperation operation, IList<object> metadata, OpenApiDocument document)
    {
        if (metadata.OfType<RequiredIdempotencyKey>().LastOrDefault() is { } key)
        {
            Add(
                key.NotForDryRuns ? "IdempotencyKeyOrDryRun" : "IdempotencyKey",
                key.NotForDryRuns ? KeyHeaderOrDryRun : KeyHeader
            );
        }

        if (metadata.Any(item => item is RequiredVersion))
        {
            Add("IfMatch", VersionHeader);
        }

        void Add(string name, OpenApiParameter header)
        {
            if (document.Components?.Parameters?.ContainsKey(name) is not true)
            {
                document.AddComponent(name, header);
            }

            operation.Parameters = [.. operation.Parameters ?? [], new OpenApiParameterReference(name, document)];
        }
    }

    private static OpenApiParameter Header(string name, string description, bool required = true) =>
        new()
        {
            Name = name,
            In = ParameterLocation.Header,
            Required = required,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };

    /// <summary>What many operations refuse with is said once, under the names of its codes.</summary>
    private static IOpenApiResponse Refusal(IReadOnlyList<Fault> faults, OpenApiDocument document)
    {
        if (faults.Count > SharedCodes)
        {
            return Response(faults, document);
        }

        var name = string.Join("_or_", faults.Select(fault => fault.Code));
        if (document.Components?.Responses?.ContainsKey(name) is not true)
        {
            document.AddComponent(name, Response(faults, document));
        }

        return new OpenApiResponseReference(name, document);
    }

    private static OpenApiResponse Response(IReadOnlyList<Fault> faults, OpenApiDocument document)
    {
        if (document.Components?.Schemas?.ContainsKey(ProblemSchema) is not true)
        {
            document.AddComponent(ProblemSchema, Problem());
        }

        var codes = new OpenApiSchema { Enum = [.. faults.Select(fault => (JsonNode)fault.Code)] };
        var schema = new OpenApiSchema
        {
            AllOf = [new OpenApiSchemaReference(ProblemSchema, document)],
            Properties = new Dictionary<string, IOpenApiSchema> { ["code"] = codes },
        };
        return new OpenApiResponse
        {
            Description = faults is [var only] ? only.Title : ReasonPhrases.GetReasonPhrase(faults[0].Status),
            Content = new Dictionary<string, OpenApiMediaType> { [Problems.ContentType] = new() { Schema = schema } },
        };
    }

    /// <summary>What <see cref="Problems"/> writes; some refusals have members of their own beside these.</summary>
    private static OpenApiSchema Problem()
    {
        var text = new OpenApiSchema { Type = JsonSchemaType.String };
        var error = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "pointer", "code" },
            Properties = new Dictionary<string, IOpenApiSchema> { ["pointer"] = text, ["code"] = text },
        };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "type", "title", "status", "detail", "code", "request_id", "retryable" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = text,
                ["title"] = text,
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                ["detail"] = text,
                ["instance"] = text,
                ["code"] = text,
                ["request_id"] = text,
                ["retryable"] = new OpenApiSchema { Type = JsonSchemaType.Boolean },
                ["errors"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = error },
            },
        };
    }
}
