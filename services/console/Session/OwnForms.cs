using Microsoft.AspNetCore.Antiforgery;

namespace LocalPlus.Console.Session;

internal static class OwnForms
{
    /// <summary>
    /// For forms without a field: the framework looks whether one of our pages sent it, and only says so where nothing
    /// is bound from it.
    /// </summary>
    public static void RequireForm(this RouteHandlerBuilder form) =>
        form.WithMetadata(new RequireAntiforgeryTokenAttribute())
            .AddEndpointFilter(
                (call, next) =>
                    call.HttpContext.Features.Get<IAntiforgeryValidationFeature>() is { IsValid: true }
                        ? next(call)
                        : throw new AntiforgeryValidationException("The form was not sent from one of our pages.")
            );
}
