using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Team;

/// <summary>The forms about the team: add somebody, remove somebody, who is out within five seconds.</summary>
internal static class TeamForms
{
    public static RouteGroupBuilder MapTeamForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/team", AddAsync);
        shop.MapPost("/team/{id}/remove", RemoveAsync).RequireForm();
        return shop;
    }

    private static async Task<IResult> AddAsync(
        [FromForm] string name,
        [FromForm] string subject,
        [FromForm] string role,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("team");
        await platform.PostAsync<TeamMember>(
            "/v1/team_members",
            new
            {
                name,
                role,
                subject,
            },
            Once.Of(once)
        );
        return Page();
    }

    private static async Task<IResult> RemoveAsync(string id, Platform platform, ConsoleSettings settings)
    {
        settings.RequireWritable();
        Telemetry.Acted("team");
        await platform.DeleteAsync($"/v1/team_members/{Uri.EscapeDataString(id)}");
        return Page();
    }

    private static IResult Page() => Results.LocalRedirect($"{ShopFeature.Root}/team");
}
