"""Public pages: the home page and the lessons."""

from django.urls import path

from education import feeds, newsletter_views, sitemaps, views

app_name = "education"

urlpatterns = [
    path("", views.home, name="home"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("privacy/", views.privacy, name="privacy"),
    path("chain/", views.chain, name="chain"),
    path("chain/<slug:slug>/", views.part, name="part"),
    path("learn/", views.lessons, name="lessons"),
    path("learn/search/", views.search, name="search"),
    path("learn/course/", views.course, name="course"),
    path("learn/feed/", feeds.lessons, name="feed"),
    path("learn/category/<slug:slug>/", views.category, name="category"),
    path("learn/<slug:slug>/", views.lesson, name="lesson"),
    path("media/images/<str:name>", views.picture, name="picture"),
    path("newsletter/", newsletter_views.sign_up, name="newsletter"),
    path("newsletter/check-your-mail/", newsletter_views.check_mail, name="newsletter_check"),
    path("newsletter/confirm/<str:token>/", newsletter_views.confirm, name="newsletter_confirm"),
    path("newsletter/leave/<str:token>/", newsletter_views.leave, name="newsletter_leave"),
]
