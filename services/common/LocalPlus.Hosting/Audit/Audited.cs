using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>What an endpoint leaves in the audit.</summary>
public sealed record AuditedAs(string Action);

/// <summary>The one hook of the audit: endpoints declare that they leave a note, and it is written.</summary>
public static class Audited
{
    private const string Reason = "Reason";

    /// <summary>How bodies are called everywhere.</summary>
    private const string Request = "Request";

    /// <summary>
    /// Whoever makes this endpoint do something is in the audit, with the <c>reason</c> of the body, if it has one.
    /// </summary>
    /// <param name="action">e.g. customer.erase: kind of object and verb.</param>
    /// <param name="withReason">False where the reason may name somebody.</param>
    public static TBuilder Audit<TBuilder>(this TBuilder builder, string action, bool withReason = true)
        where TBuilder : IEndpointConventionBuilder =>
        builder
            .WithMetadata(new AuditedAs(action))
            .AddEndpointFilter(
                async (invocation, next) =>
                {
                    var http = invocation.HttpContext;
                    var note = AuditNote.Begin(http, action, withReason ? ReasonOf(invocation) : null);
                    if (HttpMethods.IsPatch(http.Request.Method))
                    {
                        note.Changed(SentOf(invocation));
                    }

                    try
                    {
                        var result = await next(invocation);
                        if (result is Answer answer)
                        {
                            note.Answered(answer);
                        }

                        // Still there: it committed nothing of its own.
                        if (AuditNote.Current == note)
                        {
                            await note.WriteAsync(http.RequestAborted);
                        }

                        return result;
                    }
                    finally
                    {
                        note.End();
                    }
                }
            );

    /// <summary>Where the service's entries go.</summary>
    public static void AddAudit(this IServiceCollection services, string topic) =>
        services.AddSingleton(new AuditTopic(topic));

    /// <summary>The members that a change was sent with, as they are called in its body.</summary>
    private static IEnumerable<string> SentOf(EndpointFilterInvocationContext invocation) =>
        from argument in invocation.Arguments
        where argument?.GetType().Name == Request
        from property in argument.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.GetValue(argument) is not null
        select JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    private static string? ReasonOf(EndpointFilterInvocationContext invocation) =>
        invocation
            .Arguments.OfType<object>()
            .Select(argument =>
                argument.GetType().GetProperty(Reason, BindingFlags.Public | BindingFlags.Instance) is { } property
                && property.PropertyType == typeof(string)
                    ? property.GetValue(argument) as string
                    : null
            )
            .FirstOrDefault(reason => reason is not null);
}
