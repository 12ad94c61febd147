using System.Globalization;
using System.Security.Claims;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace LocalPlus.Hosting;

/// <summary>The operator must have signed in at most <see cref="MaxAge"/> ago.</summary>
public sealed record RequiredStepUp
{
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);
}

/// <summary>
/// What can not be taken back wants somebody in front of the screen, not a token that lies about: the operator's token
/// says when its owner signed in (auth_time), which is at most <see cref="RequiredStepUp.MaxAge"/> ago. Else the answer
/// is step_up_required with the challenge of RFC 9470, upon which a client asks the provider with max_age.
/// </summary>
internal sealed class StepUp(RequestDelegate next, TimeProvider time)
{
    private static readonly string Challenge = string.Create(
        CultureInfo.InvariantCulture,
        $"Bearer error=\"insufficient_user_authentication\", "
            + $"error_description=\"Sign in again\", max_age=\"{RequiredStepUp.MaxAge.TotalSeconds:0}\""
    );

    public Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<RequiredStepUp>() is null || IsFresh(http.User))
        {
            return next(http);
        }

        http.Response.OnStarting(() =>
        {
            http.Response.Headers[HeaderNames.WWWAuthenticate] = Challenge;
            return Task.CompletedTask;
        });
        throw new FaultException(
            CommonFaults.StepUpRequired,
            $"Sign in again and repeat it within {RequiredStepUp.MaxAge.TotalMinutes:0} minutes."
        )
        {
            Extensions = new Dictionary<string, object?>
            {
                ["max_age_seconds"] = (long)RequiredStepUp.MaxAge.TotalSeconds,
            },
        };
    }

    private bool IsFresh(ClaimsPrincipal who) =>
        long.TryParse(
            who.FindFirstValue(OperatorClaims.SignedInAt),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var seconds
        )
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
        && time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds) <= RequiredStepUp.MaxAge;
}

/// <summary>Says which of the operators' verbs want a sign-in of a moment ago.</summary>
public static class StepUpConventions
{
    /// <summary>Refused with step_up_required unless the operator signed in within the last five minutes.</summary>
    public static TBuilder RequireStepUp<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredStepUp());
}
